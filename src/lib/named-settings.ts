/** What a setting may be. */
export interface Kind {
  readonly is: (value: unknown) => boolean
  /** What it must be, as the end of a sentence. */
  readonly what: string
}

/**
 * The settings of an object in JSON, each of which must be one of the kinds. Throws a TypeError
 * that says in a sentence what is not understood.
 */
export function namedSettings(
  text: string,
  kinds: Readonly<Record<string, Kind>>,
): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(text)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TypeError('it must be an object')
  }
  for (const [name, value] of Object.entries(json)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (!kind) throw new TypeError(`there is no setting ${name}`)
    if (!kind.is(value)) throw new TypeError(`${name} must be ${kind.what}`)
  }
  return { ...json }
}
