/**
 * A part of each day in some time zone, `02:00-05:00 Europe/Berlin`; it may go over
 * midnight. On the two days a year on which clocks change it is an hour shorter or longer,
 * and what time it is stays right all the same.
 */

import { DAY, later, MINUTE } from '../lib/clock.ts'

export interface DailyWindow {
  /** Minutes from midnight; `until` is smaller where the window goes over midnight. */
  readonly from: number
  readonly until: number
  /** Of the IANA database: `Europe/Berlin`. */
  readonly zone: string
}

const DAY_IN_MINUTES = DAY / MINUTE
const PATTERN = /^(\d\d):(\d\d) ?[-–] ?(\d\d):(\d\d)(?: (\S+))?$/

/** Undefined for what is no window. Without a time zone it is UTC. */
export function parseDailyWindow(text: string): DailyWindow | undefined {
  const [, ...parts] = PATTERN.exec(text.trim()) ?? []
  const [from, until] = [minutesOf(parts[0], parts[1]), minutesOf(parts[2], parts[3])]
  if (from === undefined || until === undefined || from === until) return undefined
  const zone = parts[4] ?? 'UTC'
  return isTimeZone(zone) ? { from, until, zone } : undefined
}

/** From one moment to another, or that moment alone. */
export interface Span {
  readonly from: Date
  readonly until: Date
}

/**
 * When the window is open: all times, one a day, that have a part in this span. One that clocks
 * leave out altogether is the moment at which it would have opened.
 */
export function openingsIn(window: DailyWindow, span: Span): Span[] {
  const { from, until, zone } = window
  const openings: Span[] = []
  // From the window that yesterday opened, to the one that the last day opens.
  for (
    let day = later(midnight(span.from, zone), -DAY);
    day <= later(span.until, DAY);
    day = later(day, DAY)
  ) {
    const closing = until > from ? until : until + DAY_IN_MINUTES
    const opens = Math.max(...instantsOf(day, from, zone))
    const closes = Math.max(opens, Math.min(...instantsOf(day, closing, zone)))
    const opening = { from: new Date(opens), until: new Date(closes) }
    if (opening.until >= span.from && opening.from <= span.until) openings.push(opening)
  }
  return openings
}

/** The day that it is in the zone, as midnight UTC of the same date. */
function midnight(when: Date, zone: string): Date {
  const local = later(when, offsetAt(when, zone))
  return new Date(Math.floor(local.getTime() / DAY) * DAY)
}

/**
 * When clocks in the zone show so many minutes past the day's midnight: twice when they go
 * back. Where they leave that time out it is when they would show it if they had changed
 * a day earlier, or later.
 */
function instantsOf(day: Date, minutes: number, zone: string): number[] {
  const shown = later(day, minutes * MINUTE)
  const either = [-DAY, DAY].map((by) => later(shown, -offsetAt(later(shown, by), zone)))
  const right = either.filter((it) => +later(it, offsetAt(it, zone)) === +shown)
  return (right.length > 0 ? right : either).map(Number)
}

/** Clocks change at no other times than these. */
const QUARTER = 15 * MINUTE
/** Every look at a formation asks for the same few hours; finding out takes a while. */
const known = new Map<string, number>()
const MOST_KNOWN = 10_000

/** Milliseconds that clocks in the zone are ahead of UTC. */
function offsetAt(when: Date, zone: string): number {
  const key = `${zone} ${Math.floor(when.getTime() / QUARTER)}`
  const before = known.get(key)
  if (before !== undefined) return before
  const offset = offsetIn(formatOf(zone), when)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, offset)
  return offset
}

function offsetIn(format: Intl.DateTimeFormat, when: Date): number {
  const text = format
    .formatToParts(when)
    .find((part) => part.type === 'timeZoneName')?.value
  const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)/.exec(text ?? '') ?? []
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE
  return sign === '-' ? -size : size
}

/** Making one takes longer than asking it a thousand times. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const made =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  formats.set(zone, made)
  return made
}

function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function minutesOf(hours?: string, minutes?: string): number | undefined {
  const [hour, minute] = [Number(hours), Number(minutes)]
  return hour < 24 && minute < 60 ? hour * 60 + minute : undefined
}
