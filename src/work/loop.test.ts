import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { silentLog } from '../lib/log.ts'
import { inTransaction } from '../store/queryable.ts'
import { wake } from '../store/work.ts'
import { type Look, runLoop } from './loop.ts'

const pool = aDatabase()

/** Runs the loop with one look, until `enough` resolves. */
async function withLoop(
  look: Look,
  enough: (region: string) => Promise<void>,
): Promise<void> {
  const region = `test-${randomUUID().slice(0, 8)}`
  const stop = new AbortController()
  const loop = runLoop(
    { pool, region, looks: { thing: look }, log: silentLog, overdue() {} },
    stop.signal,
  )
  await enough(region)
  stop.abort()
  await loop
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
