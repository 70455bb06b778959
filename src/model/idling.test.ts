import assert from 'node:assert/strict'
import { test } from 'node:test'

import { later, MINUTE, SECOND } from '../lib/clock.ts'
import { decideIdling, type SleepyApp, untilAsleep } from './idling.ts'

const now = new Date('2026-11-23T12:00:00Z')
const ago = (milliseconds: number) => later(now, -milliseconds)

/** Eco, awake, and quiet for just long enough. */
function anApp(but: Partial<SleepyApp> = {}): SleepyApp {
  return {
    web: 1,
    eco: true,
    idling: false,
    maintenance: false,
    idleAfter: 30 * MINUTE,
    idleSince: null,
    webTrafficAt: null,
    releasedAt: ago(90 * MINUTE),
    askedAt: ago(30 * MINUTE),
    ...but,
  }
}

const idleSince = ago(5 * MINUTE)

const cases: [string, Partial<SleepyApp>, ReturnType<typeof decideIdling>][] = [
  ['falls asleep when it was quiet long enough', {}, 'sleep'],
  ['waits to the second', { askedAt: ago(30 * MINUTE - SECOND) }, undefined],
  ['stays awake after it was woken', { webTrafficAt: ago(29 * MINUTE) }, undefined],
  ['stays awake after a release', { releasedAt: ago(MINUTE) }, undefined],
  ['sleeps at any size where asked to', { eco: false, idling: true }, 'sleep'],
  ['never sleeps unless Eco or asked to', { eco: false }, undefined],
  ['never sleeps with workers only', { web: 0 }, undefined],
  ['never sleeps where requests get a page', { maintenance: true }, undefined],
  ['has its own patience', { idleAfter: 31 * MINUTE }, undefined],
  ['sleeps on', { idleSince }, undefined],
  ['wakes with a release', { idleSince, releasedAt: ago(MINUTE) }, 'wake'],
  ['wakes when it may not sleep any more', { idleSince, eco: false }, 'wake'],
  ['wakes when only workers are left', { idleSince, web: 0 }, 'wake'],
  ['wakes where nobody could wake it', { idleSince, maintenance: true }, 'wake'],
]

for (const [what, but, expected] of cases) {
  test(`an app ${what}`, () => assert.equal(decideIdling(anApp(but), now), expected))
}

test('the next look is when the app may fall asleep, or never', () => {
  assert.equal(untilAsleep(anApp({ askedAt: ago(10 * MINUTE) }), now), 20 * MINUTE)
  assert.equal(untilAsleep(anApp({ web: 0 }), now), Infinity)
})
