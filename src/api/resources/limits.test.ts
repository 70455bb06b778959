/** What there may be at most is refused at the door, in Heroku's words. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { HEROKU_LIMITS } from '../../model/limits.ts'

const pool = aDatabase()

test('a scale above the limit says what the limit is', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const url = `/apps/${made.app.name}/formation`
  const wish = { updates: [{ type: 'web', quantity: 11, size: 'performance-m' }] }
  const { status, body } = await call(`PATCH ${url}`, wish)
  assert.equal(status, 422)
  assert.deepEqual(body, {
    id: 'cannot_update_above_limit',
    message: 'Cannot update to more than 10 Performance-M size dynos per process type.',
    limit: 10,
  })
  const mixed = await call(`PATCH ${url}/web`, { size: 'eco' })
  assert.equal(mixed.body['id'], 'invalid_params')
  const updates = ['web', 'worker'].map((type) => ({ type, size: 'eco' }))
  assert.equal((await call(`PATCH ${url}`, { updates })).status, 200)
})

test('an app above a limit that was lowered may still shrink', async () => {
  const made = await anApp(pool)
  await made.deploy()
  const url = `/apps/${made.app.name}/formation/web`
  const before = await anApi(pool)
  assert.equal((await before.call(`PATCH ${url}`, { quantity: 9 })).status, 200)
  const after = await anApi(pool, { limits: { ...HEROKU_LIMITS, dynosPerApp: 3 } })
  assert.equal((await after.call(`PATCH ${url}`, { quantity: 8 })).status, 200)
  const more = await after.call(`PATCH ${url}`, { quantity: 10 })
  assert.deepEqual([more.status, more.body['limit']], [422, 3])
})

test('an account gets no more apps than it may have', async () => {
  const { call } = await anApi(pool)
  const { body } = await call('GET /apps')
  const limits = { ...HEROKU_LIMITS, appsPerAccount: Number(body['length']) + 1 }
  const full = await anApi(pool, { limits })
  const answers = await Promise.all(
    ['one', 'two'].map((name) => full.call('POST /apps', { name: `${name}-app` })),
  )
  assert.deepEqual(new Set(answers.map((it) => it.status)), new Set([201, 422]))
})

test('an account makes no more teams than it may, and one that goes leaves its place', async () => {
  const limits = { ...HEROKU_LIMITS, teamsPerAccount: 2 }
  const { call } = await anApi(pool, { limits })
  const make = (name: string) => call('POST /teams', { name })
  const answers = await Promise.all(['team-a', 'team-b', 'team-c'].map(make))
  const refused = answers.filter((it) => it.status !== 201)
  assert.deepEqual(
    refused.map((it) => [it.status, it.body['id'], it.body['limit']]),
    [[422, 'invalid_params', 2]],
  )
  const made = answers.find((it) => it.status === 201)
  // Whose admin somebody else is by now, counts for who made it.
  await pool.query('delete from team_members where team <> $1', [made?.body.id])
  assert.equal((await make('team-d')).status, 422)
  assert.equal((await call(`DELETE /teams/${made?.body.name}`)).status, 200)
  assert.equal((await make('team-d')).status, 201)
})

test('config vars have a most, and settings of dynos must be understood', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const url = `/apps/${made.app.name}/config-vars`
  const long = await call(`PATCH ${url}`, { LONG: 'x'.repeat(64 * 1024) })
  assert.equal(long.body['message'], 'Config vars together may have at most 64 KB.')
  const wrong = await call(`PATCH ${url}`, { MAYFLY_STOP_GRACE: 'soon' })
  assert.deepEqual([wrong.status, wrong.body['id']], [422, 'invalid_params'])
  assert.match(wrong.body['message'] ?? '', /^MAYFLY_STOP_GRACE must be /)
  assert.equal((await call(`PATCH ${url}`, { MAYFLY_STOP_GRACE: '5' })).status, 200)
})

test('sizes are those of the installation', async () => {
  const [first, ...others] = HEROKU_LIMITS.sizes
  assert.ok(first)
  const sizes = [{ ...first, memory: 256 * 1024 ** 2 }, ...others]
  const { call } = await anApi(pool, { limits: { ...HEROKU_LIMITS, sizes } })
  const { body } = await call('GET /dyno-sizes/eco')
  assert.deepEqual([body['name'], body['memory']], ['Eco', 0.25])
})
