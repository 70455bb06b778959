import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { HOUR, MINUTE } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { systemTimer, type Timer } from '../lib/timer.ts'
import { inTransaction } from '../store/queryable.ts'
import { wake } from '../store/work.ts'
import { type Look, type Loop, runLoop } from './loop.ts'

const pool = aDatabase()
const longestSleep = 20

/** Runs the loop with one look, until `enough` resolves. */
async function withLoop(
  look: Look,
  enough: (region: string) => Promise<void>,
  options: Pick<Loop, 'timer' | 'longestSleep'> = {},
): Promise<void> {
  const region = `test-${randomUUID().slice(0, 8)}`
  const stop = new AbortController()
  const loop = runLoop(
    { pool, region, looks: { thing: look }, log: silentLog, overdue() {}, ...options },
    stop.signal,
  )
  try {
    await enough(region)
  } finally {
    stop.abort()
    await loop
  }
}

test('a wake is looked at while the loop sleeps', async () => {
  const seen: string[] = []
  const subject = randomUUID()
  await withLoop(
    async (it) => {
      seen.push(it)
      return Infinity
    },
    async (region) => {
      await wake(pool, { kind: 'thing', subject, region })
      await until('it is seen', () => seen.length === 1)
    },
  )
  assert.deepEqual(seen, [subject])
})

test('a look is repeated after the time it asked for', async () => {
  let looks = 0
  await withLoop(
    async () => (++looks < 3 ? 1 : Infinity),
    async (region) => {
      await wake(pool, { kind: 'thing', subject: randomUUID(), region })
      await until('it was looked at again', () => looks === 3)
    },
  )
})

test('a look is not put off by a clock that is set back', async () => {
  let ahead = 0
  let sleeps = 0
  // As if the database's clock went back by so much as the timer goes on more than it.
  const timer: Timer = {
    now: () => systemTimer.now() + ahead,
    after(milliseconds, act) {
      if (milliseconds === longestSleep) sleeps++
      return systemTimer.after(milliseconds, act)
    },
  }
  let looks = 0
  await withLoop(
    async () => (++looks < 2 ? 30 * MINUTE : Infinity),
    async (region) => {
      const subject = randomUUID()
      await wake(pool, { kind: 'thing', subject, region })
      await until('it waits for its time', async () => {
        const { rows } = await pool.query(
          `select from work where subject = $1 and leased_until is null and run_at > now()`,
          [subject],
        )
        return rows.length === 1
      })
      const before = sleeps
      await until('the loop sleeps, for nothing is due', () => sleeps > before)
      assert.equal(looks, 1)
      ahead = HOUR
      await until('it was looked at again', () => looks === 2)
    },
    { timer, longestSleep },
  )
})

test('a look that fails is tried again, and its error is kept meanwhile', async () => {
  let looks = 0
  const subject = randomUUID()
  await withLoop(
    async () => {
      if (++looks < 2) throw new Error('no luck')
      const { rows } = await pool.query<{ last_error: string; failures: number }>(
        'select last_error, failures from work where subject = $1',
        [subject],
      )
      assert.match(rows[0]?.last_error ?? '', /no luck/)
      looks++
      return Infinity
    },
    async (region) => {
      await wake(pool, { kind: 'thing', subject, region })
      await until('it was looked at again', () => looks === 3)
    },
  )
})

test('a subject is looked at by one at a time, many subjects side by side', async () => {
  const now = new Map<string, number>()
  let together = 0
  let ended = 0
  const subjects = Array.from({ length: 4 }, () => randomUUID())
  await withLoop(
    async (it) => {
      now.set(it, (now.get(it) ?? 0) + 1)
      assert.equal(now.get(it), 1)
      together = Math.max(together, [...now.values()].filter((count) => count > 0).length)
      await until('all are under way', () => together === subjects.length)
      now.set(it, 0)
      ended++
      return Infinity
    },
    async (region) => {
      for (const subject of subjects) await wake(pool, { kind: 'thing', subject, region })
      await until('all have ended', () => ended === subjects.length)
    },
  )
})

test('others are looked after while a wake of one takes its time', async () => {
  const seen: string[] = []
  const [woken, other] = [randomUUID(), randomUUID()]
  let isBeingWoken = false
  await withLoop(
    async (it) => {
      seen.push(it)
      if (it === woken) await until('it is being woken', () => isBeingWoken)
      return Infinity
    },
    async (region) => {
      await wake(pool, { kind: 'thing', subject: woken, region })
      await until('it is seen', () => seen.length === 1)
      await inTransaction(pool, async (tx) => {
        await wake(tx, { kind: 'thing', subject: woken, region })
        isBeingWoken = true
        for (const times of [2, 3]) {
          await wake(pool, { kind: 'thing', subject: other, region })
          await until('the other is seen', () => seen.length === times, 5000)
        }
      })
      await until('the one that was woken is seen after them', () => seen.length === 4)
    },
  )
  assert.deepEqual(seen, [woken, other, other, woken])
})

test('an error of any bytes is put down like others', async () => {
  let looks = 0
  await withLoop(
    async () => {
      if (++looks === 1) throw new Error('it printed \0')
      return Infinity
    },
    async (region) => {
      await wake(pool, { kind: 'thing', subject: randomUUID(), region })
      await until('it was looked at again', () => looks === 2)
    },
  )
})

test('a clock that is set forward has nobody looked at by two', async () => {
  const letGo = Promise.withResolvers<void>()
  const underWay = new Map<string, number>()
  let most = 0
  let looks = 0
  const [slow, other] = [randomUUID(), randomUUID()]
  await withLoop(
    async (subject) => {
      looks++
      const now = (underWay.get(subject) ?? 0) + 1
      underWay.set(subject, now)
      most = Math.max(most, now)
      if (subject === slow) await letGo.promise
      underWay.set(subject, now - 1)
      return Infinity
    },
    async (region) => {
      await wake(pool, { kind: 'thing', subject: slow, region })
      await until('it is looked at', () => looks === 1)
      await pool.query(
        `update work set leased_until = leased_until - interval '2 hours',
                         run_at = run_at - interval '2 hours'
          where region = $1`,
        [region],
      )
      // Who is longest due is claimed first.
      await wake(pool, { kind: 'thing', subject: other, region })
      await until('the other is looked at', () => looks >= 2)
      letGo.resolve()
    },
  )
  assert.equal(most, 1)
})
