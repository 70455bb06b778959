import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { DynoState } from '../model/dyno.ts'
import type { HealthCheck } from '../model/health-check.ts'
import { type DynoId, type FormationId, newId } from '../model/ids.ts'
import { healthChecker } from './check-health.ts'

const pool = aDatabase()
const stop = new AbortController()
after(() => stop.abort())

const everyMoment: HealthCheck = {
  path: '/health',
  interval: 20,
  timeout: SECOND,
  grace: 0,
  failures: 3,
}

const wellAnswered = (): number | undefined => 200

/** One dyno, that answers as it is told to. */
function aWorld(check: HealthCheck | null) {
  const formation: FormationId = newId()
  const dyno: DynoId = newId()
  let asked = 0
  let answer = wellAnswered
  const checker = healthChecker(
    {
      runtime: {
        async probe() {
          asked++
          return answer()
        },
      },
      pool,
      region: 'us',
      log: silentLog,
    },
    stop.signal,
  )
  return {
    asked: () => asked,
    answers: (status: () => number | undefined) => (answer = status),
    health: (state: DynoState | 'gone' = 'up', its: HealthCheck | null = check) =>
      checker({
        formation,
        check: its,
        dynos: state === 'gone' ? [] : [{ id: dyno, state }],
      }).get(dyno),
    wakes: async () => {
      const { rows } = await pool.query<{ wakes: string }>(
        'select wakes + 1 as wakes from work where subject = $1',
        [formation],
      )
      return Number(rows[0]?.wakes ?? 0)
    },
  }
}

test('nothing is known at first, and then what the dyno answers', async () => {
  const { health, wakes } = aWorld(everyMoment)
  assert.equal(health('starting'), undefined)
  await until('it is well', () => health('starting')?.well === true)
  await until('the formation was woken', async () => (await wakes()) === 1)
})

test('failures are counted in a row, and wake the formation when they are enough', async () => {
  const { health, answers, wakes } = aWorld(everyMoment)
  await until('it is well', () => health()?.well === true)
  answers(() => 503)
  await until('it is sick', () => (health()?.failures ?? 0) > 3)
  assert.equal(health()?.fault, 'it answered 503')
  assert.equal(health()?.everWell, true)
  // Well, not well any more, and not well for the third time and all that follow: a wake may get lost.
  await until('the formation was woken', async () => (await wakes()) > 4)
  answers(() => undefined)
  await until('it says nothing', () => health()?.fault === 'it did not answer')
  answers(() => 302)
  await until('it is well again', () => health()?.failures === 0)
})

test('one that boots and is not well yet wakes it no more often than that', async () => {
  const { health, answers, asked, wakes } = aWorld(everyMoment)
  answers(() => 503)
  assert.equal(health('starting'), undefined)
  await until('it was asked again and again', () => asked() > 20)
  answers(wellAnswered)
  await until('it is well', () => health('starting')?.well === true)
  // Not well, not well for the third time, and well.
  await until('the formation was woken', async () => (await wakes()) > 2)
  assert.equal(await wakes(), 3)
})

test('who cannot be asked is known no better than before', async () => {
  const { health, answers, asked } = aWorld(everyMoment)
  await until('it is well', () => health()?.well === true)
  answers(() => {
    throw new Error('the machine does not answer')
  })
  const before = asked()
  await until('it was asked again', () => asked() > before + 3)
  assert.equal(health()?.well, true)
})

test('nobody is asked who is gone, or has no health check any more', async () => {
  const { health, asked } = aWorld(everyMoment)
  await until('it is well', () => health()?.well === true)
  assert.equal(health('gone'), undefined)
  assert.equal(health('up'), undefined, 'it begins anew')
  await until('it is well', () => health()?.well === true)
  assert.equal(health('up', null), undefined)

  const end = asked()
  const other = aWorld(everyMoment)
  await until('another was asked meanwhile', () => {
    other.health()
    return other.asked() > 3
  })
  assert.ok(asked() <= end + 1)
})

test('without a health check nobody is asked', async () => {
  const { health, asked } = aWorld(null)
  assert.equal(health(), undefined)
  assert.equal(asked(), 0)
})
