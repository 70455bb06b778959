/** Bytes of a command, be it a process type's or one to run once. */
const LONGEST_COMMAND = 32 * 1024

/**
 * Why a text can't be a command, as the end of a sentence that begins with it; undefined if
 * it can. Neither an argument of a program nor the database has room for a NUL.
 */
export function faultOfCommand(command: string): string | undefined {
  if (command.trim() === '') return 'is empty'
  if (command.includes('\0')) return 'contains a NUL byte'
  if (!command.isWellFormed()) return 'contains half a character (a lone surrogate)'
  if (Buffer.byteLength(command) > LONGEST_COMMAND) {
    return `has more than ${LONGEST_COMMAND / 1024} KB`
  }
  return undefined
}
