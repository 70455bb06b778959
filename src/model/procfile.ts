/** What an app consists of: process type → command. */
export type ProcessTypes = Readonly<Record<string, string>>

const LINE = /^([A-Za-z0-9_-]{1,128}):[ \t]*(\S.*)$/

/**
 * The process types a Procfile declares, in its order. As on Heroku, lines that declare
 * nothing are passed over, and of two for one type the last is meant.
 */
export function parseProcfile(text: string): ProcessTypes {
  const declared = text
    .split(/\r?\n|\r/)
    .map((line) => LINE.exec(line))
    .flatMap((match) => (match?.[1] && match[2] ? [[match[1], match[2].trimEnd()]] : []))
  return Object.fromEntries(declared) as ProcessTypes
}

/** What is declared, and of the buildpack's defaults those types that aren't. */
export function withDefaults(
  declared: ProcessTypes,
  defaults: ProcessTypes,
): ProcessTypes {
  return { ...defaults, ...declared }
}
