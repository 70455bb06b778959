/** RFC 6587's octet counting, as HAProxy's ring sends it: `<bytes> <record>`, one after another. */

const LONGEST_RECORD = 64 * 1024
const LONGEST_COUNT = String(LONGEST_RECORD).length

export interface Frames {
  /** Byte strings. */
  readonly records: readonly string[]
  /** The beginning of a frame whose end is still to come. */
  readonly rest: string
}

/** Undefined when `bytes` is not a row of frames: the sender is not one of ours. */
export function splitFrames(bytes: string): Frames | undefined {
  const records: string[] = []
  let start = 0
  for (;;) {
    const space = bytes.indexOf(' ', start)
    const digits = bytes.slice(start, space === -1 ? undefined : space)
    if (!/^\d*$/.test(digits) || digits.length > LONGEST_COUNT) return undefined
    if (space === -1) break
    if (digits === '' || Number(digits) > LONGEST_RECORD) return undefined
    const end = space + 1 + Number(digits)
    if (end > bytes.length) break
    records.push(bytes.slice(space + 1, end))
    start = end
  }
  return { records, rest: bytes.slice(start) }
}
