import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, double, integer, property, record } from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import {
  type Autoscaled,
  decideScale,
  parseAutoscaling,
  type PastMinute,
} from './autoscaling.ts'

const now = new Date('2026-01-01T12:00:30Z')
const minute = (ago: number) => new Date(Date.UTC(2026, 0, 1, 12, -ago))

/** From so many minutes ago on, one of each, up to the present one. */
function minutesPast(
  from: number,
  but: Partial<PastMinute> & { readonly until?: number } = {},
): PastMinute[] {
  const { until = 0, ...it } = { requests: 600, p95: 400, dynos: 3, ...but }
  return Array.from({ length: from - until + 1 }, (_, nth) => ({
    ...it,
    at: minute(from - nth),
  }))
}

/** Three dynos of which all is well, for an hour. */
function calm(but: Partial<Autoscaled> = {}): Autoscaled {
  return {
    wanted: { min: 1, max: 5, p95: 500 },
    quantity: 3,
    up: 3,
    waits: false,
    asleep: false,
    maintenance: false,
    changedAt: later(now, -HOUR),
    counted: { since: later(now, -HOUR), until: now },
    past: minutesPast(59),
    ...but,
  }
}

const slow = { past: minutesPast(59, { p95: 900 }) }
const quick = { past: minutesPast(59, { p95: 300 }) }
const cases: [string, Partial<Autoscaled>, number | undefined][] = [
  ['near to what was asked for, it stays', {}, undefined],
  ['too slow: one more', slow, 4],
  ['too slow, at its most', { ...slow, wanted: { min: 1, max: 3, p95: 500 } }, undefined],
  [
    'too slow, but one more has just come',
    { ...slow, changedAt: later(now, -59_000) },
    undefined,
  ],
  [
    'too slow, but only until one more came',
    {
      changedAt: later(now, -70_000),
      past: [...minutesPast(59, { until: 2, p95: 900 }), ...minutesPast(1, { p95: 300 })],
    },
    undefined,
  ],
  ['too slow, but one more is on its way', { ...slow, up: 2 }, undefined],
  ['too slow, but one waits for room', { ...slow, waits: true }, undefined],
  [
    'too slow for very few',
    { past: minutesPast(59, { p95: 900, requests: 19 }) },
    undefined,
  ],
  [
    'too slow, five minutes ago',
    { past: minutesPast(59, { p95: 900, until: 5 }) },
    undefined,
  ],
  ['quick: fewer would do', quick, 2],
  ['quick, at its least', { ...quick, wanted: { min: 3, max: 5, p95: 500 } }, undefined],
  [
    'quick, but changed lately',
    { ...quick, changedAt: later(now, -4 * MINUTE) },
    undefined,
  ],
  [
    'quick, but fewer were too few',
    {
      past: [
        ...minutesPast(59, { until: 30, dynos: 2, p95: 600 }),
        ...minutesPast(29, { p95: 100 }),
      ],
    },
    undefined,
  ],
  [
    'quick, and fewer were too few for more requests',
    {
      past: [
        ...minutesPast(59, { until: 30, dynos: 2, requests: 900, p95: 600 }),
        ...minutesPast(29, { p95: 100 }),
      ],
    },
    2,
  ],
  [
    'near, but fewer have been seen to do',
    { past: [...minutesPast(59, { until: 30, dynos: 2, p95: 450 }), ...minutesPast(29)] },
    2,
  ],
  ['nobody asks', { past: [] }, 2],
  ['nobody asks, but nobody counted', { past: [], counted: undefined }, undefined],
  [
    'nobody asks, counted only lately',
    { past: [], counted: { since: later(now, -9 * MINUTE), until: now } },
    undefined,
  ],
  [
    'too slow when last counted',
    { ...slow, counted: { since: later(now, -HOUR), until: later(now, -31_000) } },
    undefined,
  ],
  [
    'fewer than its least: at once',
    {
      quantity: 1,
      up: 0,
      wanted: { min: 2, max: 5, p95: 500 },
      changedAt: now,
      counted: undefined,
    },
    2,
  ],
  ['more than its most: at once', { quantity: 9, changedAt: now }, 5],
  ['none wanted', { ...slow, quantity: 0, up: 0 }, undefined],
  ['asleep', { ...slow, asleep: true, quantity: 9 }, undefined],
  ['in maintenance', { ...slow, maintenance: true, quantity: 9 }, undefined],
]

for (const [what, but, quantity] of cases) {
  test(`${what}: ${quantity ?? 'stays'}`, () => {
    assert.equal(decideScale(calm(but), now)?.quantity, quantity)
  })
}

test('it says why', () => {
  assert.equal(decideScale(calm(slow), now)?.because, 'p95 900ms above 500ms')
  assert.equal(decideScale(calm(quick), now)?.because, 'p95 within 500ms')
  assert.equal(decideScale(calm({ quantity: 9 }), now)?.because, '1 to 5 dynos')
})

/** A load of so many requests a minute, on dynos of which each takes so many. */
interface Traffic {
  /** Milliseconds that a request takes when nobody else asks. */
  readonly base: number
  /** Requests a minute that one dyno can take at most. */
  readonly room: number
  readonly load: (minute: number) => number
}

/** Waiting grows without end as a dyno nears what it can take. */
function p95At({ base, room }: Traffic, load: number): number {
  return load >= room ? 30_000 : Math.min(30_000, base / (1 - load / room))
}

/** The quantities of each minute, as looks every 20 seconds make them. */
function simulate(
  traffic: Traffic,
  minutes: number,
): { quantity: number; steps: number }[] {
  const start = minute(0)
  const wanted = { min: 1, max: 12, p95: 500 }
  const seen: PastMinute[] = []
  const days: { quantity: number; steps: number }[] = []
  let [quantity, changedAt] = [1, later(start, -HOUR)]
  for (let it = 0; it < minutes; it++) {
    const at = later(start, it * MINUTE)
    const whole = Math.round(traffic.load(it))
    let steps = 0
    let here = { at, requests: 0, p95: 0, dynos: Infinity }
    for (let part = 1; part <= 3; part++) {
      const time = later(at, part * 20 * SECOND - 1)
      here = {
        at,
        requests: Math.round((whole * part) / 3),
        p95: Math.max(here.p95, p95At(traffic, whole / quantity)),
        dynos: Math.min(here.dynos, quantity),
      }
      const past = [
        ...seen.filter((one) => one.at > later(time, -HOUR)),
        ...(whole > 0 ? [here] : []),
      ]
      const decision = decideScale(
        {
          ...calm(),
          wanted,
          quantity,
          up: quantity,
          changedAt,
          counted: { since: later(start, -HOUR), until: time },
          past,
        },
        time,
      )
      if (decision) {
        assert.equal(Math.abs(decision.quantity - quantity), 1, 'one step at a time')
        assert.ok(time >= later(changedAt, MINUTE), 'a minute apart')
        steps += 1
        quantity = decision.quantity
        changedAt = time
      }
    }
    // A minute without requests leaves nothing.
    if (whole > 0) seen.push(here)
    days.push({ quantity, steps })
  }
  return days
}

const traffics = record({
  base: integer({ min: 5, max: 400 }),
  room: integer({ min: 200, max: 3000 }),
  dynos: double({ min: 0.05, max: 8, noNaN: true }),
  noise: integer({ min: 0, max: 1000 }),
})

test('a steady load settles: within its p95, without swinging', () => {
  check(
    property(traffics, ({ base, room, dynos, noise }) => {
      const load = dynos * room * 0.9
      // Up to 2 % more or less, never the same twice in a row.
      const uneven = (it: number) => load * (1 + 0.02 * Math.sin(it * 7.3 + noise))
      const traffic = { base, room, load: uneven }
      const days = simulate(traffic, 240)
      const late = days.slice(60)
      // A try of fewer and its taking back, once an hour, is what remains.
      const steps = late.reduce((sum, it) => sum + it.steps, 0)
      assert.ok(
        steps <= 8,
        `${steps} steps in three hours: ${late.map((it) => it.quantity).join()}`,
      )
      if (load < 25) return
      const good = late.filter(
        ({ quantity }, nth) =>
          quantity === 12 || p95At(traffic, uneven(60 + nth) / quantity) <= 500,
      )
      assert.ok(good.length >= 0.9 * late.length, late.map((it) => it.quantity).join())
    }),
    fuzzRuns({ usual: 100, soaked: 5000 }),
  )
})

test('a load that goes leaves no more dynos than it needs', () => {
  check(
    property(traffics, ({ base, room, dynos }) => {
      const load = (it: number) => (it < 30 ? dynos * room * 0.9 : 0)
      const days = simulate({ base, room, load }, 160)
      assert.equal(days.at(-1)?.quantity, 1)
      // Slower than it came: no step down sooner than five minutes after another.
      const downs = days.flatMap((it, nth) =>
        it.quantity < (days[nth - 1]?.quantity ?? 0) ? [nth] : [],
      )
      for (const [nth, at] of downs.entries()) {
        assert.ok(nth === 0 || at - (downs[nth - 1] ?? 0) >= 5)
      }
    }),
    fuzzRuns({ usual: 50, soaked: 2500 }),
  )
})

test('MAYFLY_AUTOSCALE is understood, or not', () => {
  assert.deepEqual(parseAutoscaling('2-10'), { min: 2, max: 10, p95: 1000 })
  assert.deepEqual(parseAutoscaling('1-1 p95=50'), { min: 1, max: 1, p95: 50 })
  for (const text of ['', '3', '0-4', '5-4', '1-5 p95=0', '1-5 p95=1s', 'x-y', '1-5 ']) {
    assert.equal(parseAutoscaling(text), undefined, text)
  }
})
