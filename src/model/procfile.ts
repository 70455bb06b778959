/** What an app consists of: process type → command. */
export type ProcessTypes = Readonly<Record<string, string>>

const LINE = /^([A-Za-z0-9_-]{1,128}):[ \t]*(\S.*)$/

/**
 * The process types a Procfile declares, in its order. As on Heroku, lines that declare
 * nothing are passed over, and of two for one type the last is meant.
 */
export function parseProcfile(text: string): ProcessTypes {
  const declared = linesOf(text)
    .map((line) => LINE.exec(line))
    .flatMap((match) => (match?.[1] && match[2] ? [[match[1], match[2].trimEnd()]] : []))
  return Object.fromEntries(declared) as ProcessTypes
}

/** The lines that are meant to declare something, and do not; each with its number, from 1. */
export function strayLines(
  text: string,
): { readonly at: number; readonly line: string }[] {
  return linesOf(text)
    .map((line, index) => ({ at: index + 1, line }))
    .filter(({ line }) => /^\s*[^#\s]/.test(line) && !LINE.test(line))
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n|\r/)
}

/** What is declared, and of the buildpack's defaults those types that aren't. */
export function withDefaults(
  declared: ProcessTypes,
  defaults: ProcessTypes,
): ProcessTypes {
  return { ...defaults, ...declared }
}
