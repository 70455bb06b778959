/**
 * What a part prints is a file, of bounded length: there are parts that clients can have print.
 * A part has it open for as long as it runs, to append alone; so it is cut short beneath it, and
 * what the part prints next is at its beginning.
 */

import {
  closeSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'

/** Bytes of a log, and of what is kept of before. */
export const LOG_MOST_BYTES = 10 << 20
/** Bytes of any file of a part that runs without a supervisor, too. It must be more than a supervisor lets be. */
export const FILE_MOST_BYTES = 4 * LOG_MOST_BYTES

/** Where a log's end of before is. */
export const logOfBefore = (file: string) => `${file}.1`

/** To append; of one that is too long, the end is kept beside it. */
export function openLog(file: string, say: (sentence: string) => void): number {
  boundLog(file, say)
  return openSync(file, 'a', 0o640)
}

/** Of what is printed between the copying and the cutting nothing is left. */
export function boundLog(file: string, say: (sentence: string) => void): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size <= LOG_MOST_BYTES) return
  try {
    writeFileSync(logOfBefore(file), endOf(file, size), { mode: 0o640 })
  } catch (error) {
    // The disk may be full of it.
    say(`nothing of ${file} is kept, which is too long: ${(error as Error).message}`)
  }
  truncateSync(file)
}

function endOf(file: string, size: number): Buffer {
  const end = Buffer.alloc(LOG_MOST_BYTES)
  const from = openSync(file, 'r')
  try {
    const length = readSync(from, end, 0, end.length, size - end.length)
    return end.subarray(0, length)
  } finally {
    closeSync(from)
  }
}

/**
 * For a part that writes no other files, and runs on where nobody looks at its log. Linux then refuses
 * it every byte beyond, in place of ending it, and takes more once the log is cut short.
 */
export function withinBound(command: readonly string[]): string[] {
  return [
    'env',
    '--ignore-signal=XFSZ',
    'prlimit',
    `--fsize=${FILE_MOST_BYTES}`,
    ...command,
  ]
}
