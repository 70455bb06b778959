/**
 * The log files of dynos, as conmon and Kubernetes nodes write them, a record a line:
 *
 *   2026-01-01T00:00:00.123456789+00:00 stdout F text
 *
 * `P` in place of `F` says that the record holds only a part of a line, to be continued by
 * the stream's next record. Lines above 10,000 bytes become several, as on Heroku.
 */

import { LONGEST_LINE } from '../model/log-line.ts'
import { cutAt, withoutReturns } from './batch.ts'

/** Beginnings of lines whose ends are still to come, by stream. */
export type Unfinished = Readonly<Record<string, Part>>

export interface Part {
  /** As displayed. */
  readonly time: string
  /** At most LONGEST_LINE bytes. */
  readonly text: string
}

export interface Parsed {
  /** Lines as displayed, each with its newline: a byte string. */
  readonly text: string
  readonly count: number
  /** How many bytes of the chunk were used: up to the end of its last whole record. */
  readonly used: number
  readonly unfinished: Unfinished
}

/** `label` stands between time and text; records that make no sense are skipped. */
export function parseRecords(chunk: string, label: string, before: Unfinished): Parsed {
  let unfinished = before
  let text = ''
  let count = 0
  let used = 0

  for (;;) {
    const end = chunk.indexOf('\n', used)
    if (end === -1) break
    const start = used
    used = end + 1

    const timeEnd = chunk.indexOf(' ', start)
    const streamEnd = chunk.indexOf(' ', timeEnd + 1)
    const flagEnd = streamEnd + 2
    if (timeEnd === -1 || streamEnd === -1 || flagEnd > end) continue
    const whole = chunk[streamEnd + 1] === 'F'
    const body = Math.min(flagEnd + 1, end)

    const stream = chunk.slice(timeEnd + 1, streamEnd)
    const part = unfinished[stream]
    const length = end - body + (part?.text.length ?? 0)
    if (whole && !part && length <= LONGEST_LINE) {
      text += displayed(chunk.slice(start, timeEnd)) + label + chunk.slice(body, used)
      count += 1
      continue
    }

    const time = part?.time ?? displayed(chunk.slice(start, timeEnd))
    let rest = (part?.text ?? '') + chunk.slice(body, end)
    while (rest.length > LONGEST_LINE) {
      const cut = cutAt(rest, LONGEST_LINE)
      text += `${time}${label}${rest.slice(0, cut)}\n`
      count += 1
      rest = rest.slice(cut)
    }
    const { [stream]: _, ...others } = unfinished
    unfinished = whole ? others : { ...others, [stream]: { time, text: rest } }
    if (!whole) continue
    text += `${time}${label}${rest}\n`
    count += 1
  }
  return { text: withoutReturns(text), count, used, unfinished }
}

/** The lines that will never be finished, because their dyno has ended. */
export function finish(unfinished: Unfinished, label: string): Parsed {
  const parts = Object.values(unfinished).filter((part) => part.text !== '')
  const text = parts.map((part) => `${part.time}${label}${part.text}\n`).join('')
  return { text: withoutReturns(text), count: parts.length, used: 0, unfinished: {} }
}

const SECONDS = '2026-01-01T00:00:00'.length
const MICROSECONDS = '2026-01-01T00:00:00.000000'.length

/** RFC 3339 with nanoseconds, in the host's time zone, to microseconds in UTC. */
function displayed(time: string): string {
  if (time.endsWith('+00:00') && time.length > MICROSECONDS + 6) {
    return `${time.slice(0, MICROSECONDS)}+00:00`
  }
  const match = /^(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(time)
  const at = match ? new Date(`${match[1]}${match[3]}`) : new Date(NaN)
  if (!match || Number.isNaN(at.getTime())) return '1970-01-01T00:00:00.000000+00:00'
  const fraction = (match[2] ?? '.').padEnd(7, '0').slice(0, 7)
  return `${at.toISOString().slice(0, SECONDS)}${fraction}+00:00`
}
