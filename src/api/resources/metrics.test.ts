import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { issueToken } from '../../actions/issue-token.ts'
import { appEvent } from '../../model/event.ts'
import { newId } from '../../model/ids.ts'
import { layout } from '../../model/router-measures.ts'
import { writeEvents } from '../../store/events.ts'
import { putDynoMemory } from '../../store/metrics.ts'
import { inTransaction } from '../../store/queryable.ts'
import { putRouterMeasures } from '../../store/router-measures.ts'

const pool = aDatabase()

test('Prometheus is told of all apps, with a token alone and while `logs` is away', async () => {
  const { server, token } = await anApi(pool)
  const made = await anApp(pool)
  const { app } = made
  await made.deploy()
  const dyno = newId<'dyno'>()
  await pool.query(
    `insert into dynos (id, app, formation, region, type, ordinal, release, size, command,
                        state, address, port, created_at, updated_at)
     select $1, a.id, $2, 'us', 'web', 1, a.current_release, 'Standard-1X', 'web', 'up',
            '172.20.0.9', 5000, now(), now() from apps a where a.id = $3`,
    [dyno, await made.formation('web'), app.id],
  )
  await putDynoMemory(pool, [
    { dyno, used: 1000.4, quota: 2000 },
    { dyno: newId(), used: 1, quota: 1 },
  ])
  const stop = {
    kind: 'dyno.stopping',
    ps: 'web.1',
    cause: 'cycling',
    message: '',
  } as const
  await writeEvents(pool, [appEvent({ app: app.id, at: new Date(), ...stop })])
  await putRouterMeasures(pool, newId(), [
    {
      app: app.id,
      at: new Date(),
      keys: [layout.STATUS + 2, layout.SERVICE + 20],
      counts: [1, 1],
      serviceTotal: 20,
      serviceLongest: 20,
    },
  ])
  const get = (headers: Record<string, string>) =>
    server.inject({ method: 'GET', url: '/metrics', headers })

  assert.equal((await get({})).statusCode, 401)
  assert.equal((await get({ authorization: 'Bearer no' })).statusCode, 401)
  const others = await inTransaction(pool, async (tx) => {
    const other = await createAccount(tx, { email: 'other@example.com', name: null })
    return issueToken(tx, other)
  })
  assert.equal((await get({ authorization: `Bearer ${others}` })).statusCode, 403)
  const reply = await get({ authorization: `Bearer ${token}` })
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const lines = reply.body.split('\n').filter((line) => !line.startsWith('#'))
  const its = `app="${app.name}"`
  assert.deepEqual(lines, [
    'mayfly_requests_counted 0',
    `mayfly_recent_service_seconds{${its},quantile="1"} 0.02`,
    `mayfly_recent_service_seconds{${its},quantile="0.5"} 0.02`,
    `mayfly_recent_service_seconds{${its},quantile="0.95"} 0.02`,
    `mayfly_recent_service_seconds{${its},quantile="0.99"} 0.02`,
    `mayfly_dynos{${its},type="web",state="up"} 1`,
    `mayfly_dynos_wanted{${its},type="web",size="Standard-1X"} 1`,
    `mayfly_dynos_wanted{${its},type="worker",size="Standard-1X"} 0`,
    `mayfly_dyno_stops_past_hour{${its},type="web",cause="cycling"} 1`,
    `mayfly_dyno_memory_bytes{${its},dyno="web.1"} 1000`,
    `mayfly_dyno_memory_quota_bytes{${its},dyno="web.1"} 2000`,
    '',
  ])
})
