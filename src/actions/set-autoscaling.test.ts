import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import type { Queryable } from '../store/queryable.ts'
import { setAutoscaling } from './set-autoscaling.ts'

const pool = aDatabase()

test('of two that make the monitor at once one is refused', async () => {
  const made = await anApp(pool)
  await made.deploy()
  const { app, account } = made
  const wish = { monitor: null, wanted: { min: 1, max: 2, p95: 1000 } }
  const make = (tx: Queryable) =>
    setAutoscaling(tx, app, { wish, account }, HEROKU_LIMITS)
  const end = await oneAfterTheOther(pool, make, make)
  assert.equal(end.status, 'rejected')
  assert.ok(end.reason instanceof Problem)
  assert.equal(end.reason.id, 'conflict')
})
