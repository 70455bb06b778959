import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi, type Json } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { newId } from '../../model/ids.ts'

const pool = aDatabase()

interface Row {
  readonly ordinal: number
  readonly state: string
  readonly leaving?: boolean
  readonly stopReason?: string
  readonly crashes?: number
  readonly exitStatus?: number
  readonly nextAttemptAt?: string
}

test('extended, a starting dyno says what it waits for', async () => {
  const { call } = await anApi(pool)
  const app = await anAppWith([{ ordinal: 1, state: 'starting' }])
  await pool.query(`update dynos set waiting_for = 'capacity' where app = $1`, [app])
  const { body } = await call(`GET /apps/${app}/dynos/web.1?extended=true`)
  assert.equal((body as Record<string, Json>)['extended']?.['waiting_for'], 'capacity')
})

let addresses = 0

async function anAppWith(rows: readonly Row[]): Promise<string> {
  const made = await anApp(pool)
  const { app } = made
  await made.deploy()
  for (const it of rows) {
    addresses += 1
    await pool.query(
      `insert into dynos (id, app, formation, region, type, ordinal, release, size, command,
                          state, leaving, stop_reason, address, port, routed, crashes,
                          exit_status, next_attempt_at, created_at, updated_at)
       select $1, id, $3, region, 'web', $4, current_release, 'Basic', 'run', $5, $6, $7, $8,
              30000, $5 = 'up', $9, $10, $11, now(), now() from apps where id = $2`,
      [
        newId(),
        app.id,
        await made.formation('web'),
        it.ordinal,
        it.state,
        it.leaving ?? false,
        it.stopReason ?? null,
        `172.20.1.${addresses}`,
        it.crashes ?? 0,
        it.exitStatus ?? null,
        it.nextAttemptAt ?? null,
      ],
    )
  }
  return app.id
}

const shown: readonly [what: string, rows: readonly Row[], states: readonly string[]][] =
  [
    ['one that boots', [{ ordinal: 1, state: 'starting' }], ['web.1 starting']],
    ['one that serves', [{ ordinal: 1, state: 'up' }], ['web.1 up']],
    ['one that crashed', [{ ordinal: 1, state: 'crashed' }], ['web.1 crashed']],
    [
      'the successor, not who leaves for it',
      [
        { ordinal: 1, state: 'up', leaving: true, stopReason: 'release' },
        { ordinal: 1, state: 'starting' },
      ],
      ['web.1 starting'],
    ],
    [
      'the successor, not who stops after it',
      [
        { ordinal: 1, state: 'stopping', leaving: true, stopReason: 'cycling' },
        { ordinal: 1, state: 'up' },
      ],
      ['web.1 up'],
    ],
    [
      'one that stops for its successor as starting',
      [{ ordinal: 1, state: 'stopping', stopReason: 'restart' }],
      ['web.1 starting'],
    ],
    [
      'none that was scaled away',
      [
        { ordinal: 1, state: 'up' },
        { ordinal: 2, state: 'stopping', stopReason: 'scale down' },
        { ordinal: 3, state: 'down', stopReason: 'scale down' },
      ],
      ['web.1 up'],
    ],
  ]
for (const [what, rows, states] of shown) {
  test(`the list shows ${what}`, async () => {
    const { call } = await anApi(pool)
    const { body } = await call(`GET /apps/${await anAppWith(rows)}/dynos`)
    assert.deepEqual(
      (body as unknown as Json[]).map((it) => `${it.name} ${it.state}`),
      states,
    )
  })
}

test('a process type in place of a name means all of its dynos', async () => {
  const { call } = await anApi(pool)
  const app = await anAppWith([
    { ordinal: 1, state: 'up' },
    { ordinal: 2, state: 'up' },
  ])
  for (const wish of [
    `DELETE /apps/${app}/dynos/web`,
    `POST /apps/${app}/dynos/web/actions/stop`,
  ]) {
    assert.equal((await call(wish)).status, 202)
  }
  assert.equal((await call(`DELETE /apps/${app}/dynos/nobody`)).status, 404)
  const { rows } = await pool.query(
    `select count(*)::integer as asked from dynos
      where app = $1 and restart_requested_at is not null`,
    [app],
  )
  assert.deepEqual(rows, [{ asked: 2 }])
})

test('extended, a crashed dyno says when it is tried again, and why it crashed', async () => {
  const { call } = await anApi(pool)
  const at = '2026-01-02T03:04:05.000Z'
  const app = await anAppWith([
    {
      ordinal: 1,
      state: 'crashed',
      stopReason: 'crash',
      crashes: 3,
      exitStatus: 7,
      nextAttemptAt: at,
    },
  ])
  const { body: extended } = await call(`GET /apps/${app}/dynos/web.1?extended=true`)
  const { crashes, exit_status, next_attempt_at, stop_reason, route } =
    (extended as Record<string, Json>)['extended'] ?? {}
  assert.deepEqual(
    { crashes, exit_status, next_attempt_at, stop_reason, route },
    {
      crashes: 3,
      exit_status: 7,
      next_attempt_at: at,
      stop_reason: 'crash',
      route: null,
    },
  )
  const { body: ordinary } = await call(`GET /apps/${app}/dynos/web.1`)
  assert.ok(!('extended' in ordinary))
})
