import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { DAY, HOUR, later, MINUTE } from '../lib/clock.ts'
import { type Cycling, cyclesAt, DAILY, fractionOf } from './cycling.ts'
import { type DailyWindow, momentsIn, parseDailyWindow } from './daily-window.ts'
import type { DynoId } from './ids.ts'

const moments = fc.date({
  min: new Date('2026-01-01T00:00:00Z'),
  max: new Date('2027-12-31T00:00:00Z'),
  noInvalidDate: true,
})
/** Within two days of when clocks change somewhere: that is where mistakes are. */
const changes = fc
  .tuple(
    fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-25', '2026-11-01'),
    fc.integer({ min: -2 * DAY, max: DAY }),
  )
  .map(([day, by]) => later(new Date(`${day}T12:00:00Z`), by))
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']

function nights(text: string): Cycling {
  const window = parseDailyWindow(text)
  assert.ok(window)
  return { ...DAILY, window }
}

/** Minutes past midnight that a clock in the zone shows. */
function clockIn(zone: string, when: Date): number {
  const shown = when.toLocaleTimeString('en-GB', { timeZone: zone, hourCycle: 'h23' })
  const [hours, minutes] = shown.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}

function isWithin({ from, until }: DailyWindow, minutes: number): boolean {
  return from < until
    ? minutes >= from && minutes <= until
    : minutes >= from || minutes <= until
}

test('a life lasts between a day and 216 minutes more', () => {
  fc.assert(
    fc.property(fc.uuid(), moments, (id, startedAt) => {
      const moment = cyclesAt({ id: id as DynoId, startedAt })
      assert.ok(moment >= later(startedAt, DAY))
      assert.ok(moment <= later(startedAt, DAY + 216 * MINUTE))
    }),
  )
})

test('with a window a dyno goes within it, and never later than without', () => {
  for (const text of ['02:00-05:00', '22:30-01:15', '00:00-02:30']) {
    for (const zone of zones) {
      const cycling = nights(`${text} ${zone}`)
      fc.assert(
        fc.property(fc.uuid(), fc.oneof(moments, changes), (id, startedAt) => {
          const moment = cyclesAt({ id: id as DynoId, startedAt }, cycling)
          assert.ok(moment > startedAt)
          assert.ok(moment <= later(startedAt, DAILY.most))
          assert.ok(cycling.window && isWithin(cycling.window, clockIn(zone, moment)))
        }),
      )
    }
  }
})

test('a life too short to reach the window ends without it', () => {
  const startedAt = new Date('2026-06-01T12:00:00Z')
  const cycling = { ...nights('02:00-05:00'), least: 5 * HOUR, most: 6 * HOUR }
  const moment = cyclesAt({ id: 'd1' as DynoId, startedAt }, cycling)
  assert.ok(moment >= later(startedAt, 5 * HOUR) && moment <= later(startedAt, 6 * HOUR))
})

test('when clocks change the window is where they say', () => {
  const window = parseDailyWindow('01:30-03:30 Europe/Berlin')
  assert.ok(window)
  const half = (from: string) =>
    momentsIn(window, { fraction: 0.5, from: new Date(from), for: DAY }).map((it) =>
      it.toISOString(),
    )
  // An hour long in spring, three in autumn.
  assert.deepEqual(half('2026-03-28T12:00:00Z'), ['2026-03-29T01:00:00.000Z'])
  assert.deepEqual(half('2026-10-24T12:00:00Z'), ['2026-10-25T01:00:00.000Z'])
  assert.deepEqual(half('2026-06-01T12:00:00Z'), ['2026-06-02T00:30:00.000Z'])
})

test('the dynos of a formation go each at its own moment', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `dyno ${index}`)
  const spread = new Set(ids.map((id) => Math.floor(fractionOf(id) * 10)))
  assert.equal(spread.size, 10)
})
