/**
 * Log lines travel in batches: a run of lines of one app from one source, already as
 * readers will see them. Work is then done per batch, not per line.
 *
 * Text inside `logs` is a *byte string*: one character per byte (latin1). What a dyno
 * printed is never decoded, only cut, joined and passed on, whatever its encoding; a
 * length is a number of bytes.
 */

export interface Batch extends Lines {
  /** Lines of an app are numbered from 1 on, without gaps; this is the first one's number. */
  readonly first: number
}

export interface Lines {
  readonly source: string
  readonly ps: string
  readonly count: number
  /** A byte string; every line ends with a newline. */
  readonly text: string
}

/** A reader's wish: of one source, of one dyno (`web.1`) or of all of a type (`web`). */
export interface Filter {
  readonly source?: string | undefined
  readonly dyno?: string | undefined
}

/** What comes before the text of a line, after its time. */
export function label(source: string, ps: string): string {
  return ` ${source}[${ps}]: `
}

/** `2026-01-01T00:00:00.000000+00:00`. */
export function displayTime(at: Date): string {
  return `${at.toISOString().slice(0, -1)}000+00:00`
}

export function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

const [NEWLINE, RETURN, SPACE] = [0x0a, 0x0d, 0x20]

/**
 * Carriage returns would end a line of Server-Sent Events: those before a newline go,
 * others become spaces. Byte by byte, for a dyno may print nothing else: an expression looks
 * from each of a row at all that follow, and to replace each by itself takes ten times as long.
 */
export function withoutReturns(text: string): string {
  if (!text.includes('\r')) return text
  const bytes = Buffer.from(text, 'latin1')
  let end = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === NEWLINE) while (bytes[end - 1] === RETURN) end -= 1
    bytes[end] = byte
    end += 1
  }
  for (let at = 0; at < end; at += 1) if (bytes[at] === RETURN) bytes[at] = SPACE
  return bytes.toString('latin1', 0, end)
}

/** Bytes of a UTF-8 character after its first. */
const LONGEST_TAIL = 3

/** Where to cut a byte string so that at most `most` bytes stay and no UTF-8 character is halved. */
export function cutAt(text: string, most: number): number {
  if (text.length <= most) return text.length
  let end = most
  while (end > most - LONGEST_TAIL && (text.charCodeAt(end) & 0xc0) === 0x80) end -= 1
  return end
}

export function lastOf(batch: Batch): number {
  return batch.first + batch.count - 1
}

export function matches({ source, dyno }: Filter, lines: Lines): boolean {
  if (source !== undefined && source !== lines.source) return false
  return dyno === undefined || lines.ps === dyno || lines.ps.startsWith(`${dyno}.`)
}

/** The lines of a batch with a number above `number`; undefined if none. */
export function after(number: number, batch: Batch): Batch | undefined {
  if (batch.first > number) return batch
  const skip = number - batch.first + 1
  if (skip >= batch.count) return undefined
  const text = batch.text.split('\n').slice(skip).join('\n')
  return { ...batch, first: batch.first + skip, count: batch.count - skip, text }
}

/** The last `lines` lines that match. */
export function lastLines(
  batches: readonly Batch[],
  filter: Filter,
  lines: number,
): Batch[] {
  const kept: Batch[] = []
  let wanted = lines
  for (const batch of batches.toReversed()) {
    if (wanted <= 0) break
    if (!matches(filter, batch)) continue
    const piece = after(lastOf(batch) - wanted, batch)
    if (!piece) continue
    kept.push(piece)
    wanted -= piece.count
  }
  return kept.toReversed()
}
