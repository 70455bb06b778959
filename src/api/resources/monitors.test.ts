import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { anApi, type AnApi, type Json } from '../../../test/an-api.ts'
import { anApp, type AnApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()
let call: AnApi['call']
let made: AnApp
let url = ''

async function present(): Promise<Json | undefined> {
  const { body } = await call(`GET ${url}`)
  return (body as unknown as Json[])[0]
}

async function figures() {
  const it = await present()
  return [it?.is_active, it?.min_quantity, it?.max_quantity, it?.value]
}

suite('monitors', () => {
  test('there is none until one is made; as the CLI makes it', async () => {
    ;({ call } = await anApi(pool))
    made = await anApp(pool)
    await made.deploy()
    url = `/apps/${made.app.id}/formation/web/monitors`
    assert.deepEqual((await call(`GET ${url}`)).body, [])
    const asked = {
      action_type: 'scale',
      is_active: true,
      max_quantity: 4,
      min_quantity: 2,
      name: 'LATENCY_SCALE',
      notification_channels: ['app'],
      notification_period: 1440,
      op: 'GREATER_OR_EQUAL',
      period: 1,
      value: 1000,
    }
    const { status, body } = await call(`POST ${url}`, asked)
    assert.equal(status, 201)
    assert.deepEqual({ ...body, ...asked }, body)
    assert.deepEqual(await present(), body)
    const { rows } = await pool.query(
      `select from work where kind = 'autoscaling' and region = 'us' and subject = $1`,
      [made.app.regionId],
    )
    assert.equal(rows.length, 1, 'its manager looks at once')
    assert.equal((await call(`POST ${url}`, asked)).status, 409)
  })

  test('it is switched off as the CLI does it, and its figures stay', async () => {
    const { id, ...before } = (await present()) ?? {}
    const off = { is_active: false, op: 'GREATER_OR_EQUAL', period: 1 }
    const { status, body } = await call(`PATCH ${url}/${id}`, off)
    assert.equal(status, 200)
    assert.deepEqual(body, {
      ...before,
      id,
      is_active: false,
      updated_at: body.updated_at,
    })
  })

  const refused: [string, object, number][] = [
    ['more dynos at least than at most', { min_quantity: 5 }, 422],
    ['none at least', { min_quantity: 0 }, 422],
    ['a p95 of nothing', { value: 0 }, 422],
    ['more dynos than an app may have', { max_quantity: 101, is_active: true }, 422],
    ['a monitor that alerts', { action_type: 'alert' }, 422],
    ['another operator', { op: 'LESS' }, 422],
    ['what is no number', { min_quantity: '2' }, 422],
  ]
  for (const [what, change, status] of refused) {
    test(`refused: ${what}`, async () => {
      const before = await present()
      const answer = await call(`PATCH ${url}/${before?.id}`, change)
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      assert.deepEqual(await present(), before)
    })
  }

  test('other process types, other monitors and what lacks its figures are refused', async () => {
    const of = (type: string) => `GET /apps/${made.app.name}/formation/${type}/monitors`
    assert.equal((await call(of('worker'))).status, 422)
    assert.equal((await call(of('nothing'))).status, 404)
    assert.equal((await call(`PATCH ${url}/${made.app.id}`, {})).status, 404)
    const other = await anApp(pool)
    await other.deploy()
    const { status, body } = await call(
      `POST /apps/${other.app.name}/formation/web/monitors`,
      { max_quantity: 3 },
    )
    assert.deepEqual(
      [status, body.message],
      [422, 'Autoscaling needs at least 1 dyno (min_quantity).'],
    )
  })

  test('a config var switches it on, changes it, and off', async () => {
    const set = (value: string | null) =>
      call(`PATCH /apps/${made.app.name}/config-vars`, { MAYFLY_AUTOSCALE: value })
    await set('2-10 p95=500')
    assert.deepEqual(await figures(), [true, 2, 10, 500])
    assert.equal((await set('2-200')).status, 422)
    assert.equal((await set('10-2')).status, 422)
    assert.deepEqual(await figures(), [true, 2, 10, 500])
    await set('3-5')
    assert.deepEqual(await figures(), [true, 3, 5, 1000])
    await call(`PATCH /apps/${made.app.name}/config-vars`, { OTHER: 'x' })
    await set(null)
    assert.deepEqual(await figures(), [false, 3, 5, 1000])
  })

  test('a person who wants no web dynos at all has them off, not unscaled', async () => {
    const { id } = (await present()) ?? {}
    await call(`PATCH ${url}/${id}`, { is_active: true })
    await call(`PATCH /apps/${made.app.name}/formation/web`, { quantity: 0 })
    assert.equal((await present())?.is_active, true)
    await call(`PATCH /apps/${made.app.name}/formation/web`, { quantity: 1 })
    assert.equal((await present())?.is_active, false)
  })
})
