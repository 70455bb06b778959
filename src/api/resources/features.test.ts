import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { enabledFeatures } from '../../model/app-features.ts'
import { switchesOf } from '../../store/app-features.ts'

const pool = aDatabase()

test('a feature is switched on and off, said in the log, without a release', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const { app } = made
  const url = `/apps/${app.name}/features/preboot`
  const before = await call(`GET ${url}`)
  assert.equal(before.body['enabled'], false)
  assert.equal(before.body['state'], 'general')
  await pool.query('delete from work')

  for (const enabled of [true, true, false]) {
    const { status, body } = await call(`PATCH ${url}`, { enabled })
    assert.deepEqual([status, body['enabled']], [200, enabled])
  }
  const said = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and message like '% feature %' order by id`,
    [app.id],
  )
  assert.deepEqual(
    said.rows.map((row) => row.message),
    [
      'Enable preboot feature by user dev@example.com',
      'Disable preboot feature by user dev@example.com',
    ],
  )
  const woken = await pool.query('select from work where subject = $1', [
    await made.formation('web'),
  ])
  assert.equal(woken.rows.length, 1)
  const { body: releases } = await call(`GET /apps/${app.name}/releases`)
  assert.equal(releases['length'], 3)
})

test('what nobody switched has its default', async () => {
  const { app } = await anApp(pool)
  const on = async () => enabledFeatures(await switchesOf(pool, app.id))
  assert.deepEqual(
    [...(await on())],
    ['automatic-rollback', 'daily-cycling', 'http-routing-2-dot-0'],
  )
})

test('features are found by id, and unknown ones are not', async () => {
  const { call } = await anApi(pool)
  const { app } = await anApp(pool)
  const { body } = await call(`GET /apps/${app.name}/features/idling`)
  const byId = await call(`GET /apps/${app.name}/features/${body['id']}`)
  assert.equal(byId.body['name'], 'idling')
  for (const request of [
    `GET /apps/${app.name}/features/nonsense`,
    'GET /account/features/preboot',
  ]) {
    assert.equal((await call(request)).status, 404, request)
  }
  const unknown = await call(`PATCH /apps/${app.name}/features/nonsense`, {
    enabled: true,
  })
  assert.equal(unknown.status, 404)
})
