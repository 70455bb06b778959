import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { DAY, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { type Cycling, cyclesAt, DAILY, fractionOf, leastInWindow } from './cycling.ts'
import { type DailyWindow, openingsIn, parseDailyWindow } from './daily-window.ts'
import { dynoPolicy } from './dyno-policy.ts'
import type { DynoId } from './ids.ts'
import { HEROKU_TIMINGS } from './timings.ts'

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

/** As an app has it that asks for this window, and for a life of so many hours at most. */
function nights(text: string, maxLife?: number): Cycling & { window: DailyWindow } {
  const configVars = {
    MAYFLY_CYCLING_WINDOW: text,
    ...(maxLife && { MAYFLY_MAX_LIFE: String(maxLife) }),
  }
  const { cycling } = dynoPolicy(configVars, new Set(['daily-cycling']), HEROKU_TIMINGS)
  assert.ok(cycling?.window, text)
  return { ...cycling, window: cycling.window }
}

const timesOfDay = fc
  .integer({ min: 0, max: 24 * 60 - 1 })
  .map((it) =>
    [Math.floor(it / 60), it % 60].map((part) => String(part).padStart(2, '0')).join(':'),
  )
const windows = fc
  .tuple(timesOfDay, timesOfDay, fc.constantFrom(...zones))
  .filter(([from, until]) => from !== until)
  .map(([from, until, zone]) => `${from}-${until} ${zone}`)

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
    fuzzRuns({ usual: 100, soaked: 2000 }),
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
          assert.ok(isWithin(cycling.window, clockIn(zone, moment)))
        }),
        fuzzRuns({ usual: 100, soaked: 2000 }),
      )
    }
  }
})

const lives = fc.option(fc.integer({ min: 1, max: 24 }), { nil: undefined })

test('whatever the window, a life is as long as is said wherever the window lets it', () => {
  fc.assert(
    fc.property(
      windows,
      lives,
      fc.uuid(),
      fc.oneof(moments, changes),
      (text, maxLife, id, startedAt) => {
        const cycling = nights(text, maxLife)
        const { window, most } = cycling
        const least = leastInWindow(most)
        const moment = cyclesAt({ id: id as DynoId, startedAt }, cycling)
        assert.ok(moment > startedAt && moment <= later(startedAt, most))

        const opensIn = (from: number, until: number) =>
          openingsIn(window, {
            from: later(startedAt, from),
            until: later(startedAt, until),
          })
        const inTime = opensIn(least, most)
        const isOpen = inTime.some((it) => it.from <= moment && moment <= it.until)
        if (inTime.length > 0) assert.ok(isOpen && moment >= later(startedAt, least))
        // It is never a second time in one opening that a place is replaced.
        for (const it of opensIn(0, 0))
          assert.ok(moment > it.until || moment >= later(startedAt, least))
      },
    ),
    fuzzRuns({ usual: 1000, soaked: 10_000 }),
  )
})

test('night after night a place is replaced once', () => {
  fc.assert(
    fc.property(
      windows,
      fc.constantFrom(undefined, 24),
      fc.oneof(moments, changes),
      (text, maxLife, begun) => {
        const cycling = nights(text, maxLife)
        const ends = livesOf('web.1', begun, { cycling, until: later(begun, 60 * DAY) })
        const short = ends.filter(
          (end, index) =>
            end < later(ends[index - 1] ?? begun, leastInWindow(cycling.most)),
        )
        // The first, and with 24 hours at most another when clocks have made a day longer.
        assert.ok(short.length <= 2, `short ones of ${ends.length}: ${short.length}`)
      },
    ),
    fuzzRuns({ usual: 100, soaked: 2000 }),
  )
})

test('dynos that go in a window stay spread over it', () => {
  const cycling = nights('02:00-05:00')
  const begun = new Date('2026-01-01T12:00:00Z')
  const minutes = Array.from({ length: 50 }, (_, index) =>
    livesOf(`dyno ${index}`, begun, { cycling, until: later(begun, 100 * DAY) }),
  ).flatMap((ends) => ends.map((it) => clockIn('UTC', it)))
  for (let tenth = 0; tenth < 10; tenth++) {
    const from = 2 * 60 + tenth * 18
    const share =
      minutes.filter((it) => it >= from && it < from + 18).length / minutes.length
    assert.ok(share > 0.05 && share < 0.15, `${share} of them in tenth ${tenth}`)
  }
})

/** When the dynos of a place end, each followed by the next after seconds. */
function livesOf(
  place: string,
  begun: Date,
  { cycling, until }: { cycling: Cycling; until: Date },
): Date[] {
  const ends: Date[] = []
  let startedAt = begun
  while (startedAt < until) {
    const id = `${place} ${ends.length}` as DynoId
    const end = cyclesAt({ id, startedAt }, cycling)
    ends.push(end)
    startedAt = later(end, 5 * SECOND)
  }
  return ends
}

test('a life too short to reach the window ends without it', () => {
  const startedAt = new Date('2026-06-01T12:00:00Z')
  const cycling = nights('02:00-05:00', 6)
  const moment = cyclesAt({ id: 'd1' as DynoId, startedAt }, cycling)
  assert.ok(moment >= later(startedAt, 5.1 * HOUR))
  assert.ok(moment <= later(startedAt, 6 * HOUR))
})

test('when clocks change the window is where they say', () => {
  const window = parseDailyWindow('01:30-03:30 Europe/Berlin')
  assert.ok(window)
  const half = (noon: string) => {
    const from = new Date(noon)
    return openingsIn(window, { from, until: later(from, DAY) }).map((it) =>
      new Date((it.from.getTime() + it.until.getTime()) / 2).toISOString(),
    )
  }
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
