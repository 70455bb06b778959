/** What a dyno printed, read back from its log in the CRI format, a record a line. */

const NEWLINE = 10
const SPACE = 32
const PARTIAL = 80

export interface Decoded {
  readonly text: string
  /** Bytes of `log` that were used: up to the end of a record. */
  readonly used: number
}

/**
 * `log` begins at a record. A record that is only part of a line (`P`) adds no newline;
 * if it also ends within a character, it waits for the next one.
 */
export function decodeOutput(log: Buffer): Decoded {
  const records = recordsIn(log)
  const last = records.at(-1)
  if (records.length > 1 && last?.partial && endsWithinCharacter(last.text)) records.pop()
  const pieces = records.flatMap(({ text, partial }) =>
    partial ? [text] : [text, Buffer.from('\n')],
  )
  return { text: Buffer.concat(pieces).toString('utf8'), used: records.at(-1)?.end ?? 0 }
}

interface Record {
  readonly text: Buffer
  readonly partial: boolean
  readonly end: number
}

function recordsIn(log: Buffer): Record[] {
  const records: Record[] = []
  let start = 0
  for (;;) {
    const newline = log.indexOf(NEWLINE, start)
    if (newline === -1) return records
    const time = log.indexOf(SPACE, start)
    const flag = log.indexOf(SPACE, time + 1) + 1
    const text = log.subarray(flag + 2, newline)
    records.push({ text, partial: log[flag] === PARTIAL, end: newline + 1 })
    start = newline + 1
  }
}

function endsWithinCharacter(text: Buffer): boolean {
  for (let back = 1; back <= Math.min(3, text.length); back++) {
    const byte = text[text.length - back] ?? 0
    if (byte < 0x80) return false
    if (byte >= 0xc0) return lengthOf(byte) > back
  }
  return false
}

function lengthOf(firstByte: number): number {
  if (firstByte >= 0xf0) return 4
  return firstByte >= 0xe0 ? 3 : 2
}
