/**
 * What an entry of HAProxy's maps may be: one line of a file and one command, whoever its words are from. One that
 * is not would end the connection, and with it everything that was to be said, for all apps.
 */

/** Bytes as an argument: with the command's own words it must fit HAProxy's buffer of 16 KiB. */
const LONGEST = 14_000

export function isMapEntry(key: string, value: string): boolean {
  return (
    [key, value].every(isWord) && argument(key).length + argument(value).length <= LONGEST
  )
}

/** A tenant's URL is among them, and an unescaped `;` would begin another command (management.txt, 9.3). */
export function argument(text: string): string {
  if (!isWord(text)) throw new Error('an argument must be letters that can be seen')
  return text.replaceAll(/[\\;]/g, String.raw`\$&`)
}

/** Of ASCII, without a space, which ends a key, or a newline, which ends a command. */
function isWord(text: string): boolean {
  return /^[!-~]+$/.test(text)
}
