/**
 * Who lets held requests go: HAProxy itself, as soon as it has a dyno to ask, however long it is until the
 * manager looks again. (How soon that is `bench/p4-first-request.ts` measures.) And for how long.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { HEROKU_TIMEOUTS } from './haproxy-config.ts'
import { ask } from './haproxy-socket.ts'

const pool = aDatabase()

const HELD = 20

test('held requests go once HAProxy has a dyno, with no look in between', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('held')
  const heard: string[] = []
  const backend = await aBackend(t, ({ url = '' }, it) => {
    heard.push(url)
    it.end('here')
  })
  const dyno = await router.dyno(app, backend)
  await router.look()
  await router.start()
  await router.look()
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  const said = async (command: string) => {
    const answer = await ask(join(router.directory, 'admin.sock'), [command])
    assert.equal(answer.is, 'answered')
    return answer.is === 'answered' ? answer.text : ''
  }
  const become = (state: 'maint' | 'ready') =>
    said(`set server app${rows[0]?.slot}/web.1:${dyno} state ${state}`)

  await become('maint')
  const asked = Array.from({ length: HELD }, (_, nth) =>
    router.get('held.localhost', `/${nth}`),
  )
  await until('all are held', async () =>
    (await said('show table held')).includes(`conn_cur=${HELD}`),
  )
  assert.deepEqual(heard, [])
  await become('ready')

  const bodies = (await Promise.all(asked)).map(({ body }) => body)
  assert.deepEqual(bodies, Array<string>(HELD).fill('here'))
  assert.equal(heard.length, HELD)
  assert.match(await aRouterLine(router, '/0'), /^at=info method=GET .* dyno=web\.1 /)
})

test('a request is held for as long as it may wait for a dyno', async (t) => {
  const timeouts = { ...HEROKU_TIMEOUTS, boot: 1.3 * SECOND }
  const router = await aRouter(t, pool, { timeouts })
  await router.app('never')
  await router.look()
  await router.start()
  const asked = performance.now()
  const { status, body } = await router.get('never.localhost', '/first')
  const waited = performance.now() - asked
  assert.equal(status, 503)
  assert.match(body, /\(H20\)/)
  // HAProxy has a clock of its own.
  assert.ok(waited >= timeouts.boot - 20, `it was held for ${waited} ms`)
  assert.match(await aRouterLine(router, '/first'), /^at=error code=H20 /)
})
