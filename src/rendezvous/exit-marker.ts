/**
 * `heroku run --exit-code` has the shell print its status behind a marker, and finds it only
 * if all of it arrives at once; else the CLI fails. So a line that may be that one is held
 * back until it is whole.
 */

const MARKER = Buffer.from('\uFFFF heroku-command-exit-status: ')
const MOST_DIGITS = 10
const [ZERO, NINE] = [0x30, 0x39]

export interface Held {
  /** To be sent now, each piece by itself. */
  readonly pieces: readonly Buffer[]
  /** To be given back with what comes next, or sent as it is if nothing does. */
  readonly held: Buffer
}

/** `bytes`: what was held last time and what came since. */
export function holdExitMarker(bytes: Buffer): Held {
  const pieces: Buffer[] = []
  let start = 0
  for (let at = bytes.indexOf(MARKER[0] ?? 0); at >= 0;) {
    const end = endOfMarker(bytes, at)
    if (end === undefined) {
      if (at > start) pieces.push(bytes.subarray(start, at))
      return { pieces, held: bytes.subarray(at) }
    }
    if (end > at) {
      if (at > start) pieces.push(bytes.subarray(start, at))
      pieces.push(bytes.subarray(at, end))
      start = end
    }
    at = bytes.indexOf(MARKER[0] ?? 0, Math.max(end, at + 1))
  }
  if (bytes.length > start) pieces.push(bytes.subarray(start))
  return { pieces, held: Buffer.alloc(0) }
}

/** Where the marker at `at` ends, its number included: `at` if there is none; undefined: not yet known. */
function endOfMarker(bytes: Buffer, at: number): number | undefined {
  const word = bytes.subarray(at, at + MARKER.length)
  if (MARKER.compare(word, 0, word.length, 0, word.length) !== 0) return at
  for (let end = at + MARKER.length; end <= at + MARKER.length + MOST_DIGITS; end++) {
    const byte = bytes[end]
    if (byte === undefined) return undefined
    if (byte < ZERO || byte > NINE) return end
  }
  return at
}
