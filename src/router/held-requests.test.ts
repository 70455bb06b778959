/**
 * Who lets held requests go: HAProxy itself, as soon as it has a dyno to ask, however long it is until the
 * manager looks again. (How soon that is `bench/p4-first-request.ts` measures.) And how many there may be, for how long.
 */

import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { test } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { pause, SECOND } from '../lib/clock.ts'
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

/** What an app may have held, however many web dynos it is scaled to. */
const MOST = 2000

test('an app has no more held than ten routers, and they cost little', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('many', { web: 100 })
  await router.look()
  await router.start()
  const said = async (command: string) => {
    const answer = await ask(join(router.directory, 'admin.sock'), [command])
    assert.ok(answer.is === 'answered')
    return answer.text
  }
  const statuses: (number | undefined)[] = []
  const hundred = () => {
    const session = connectHttp2(`https://localhost:${router.tlsPort}`, {
      servername: 'many.localhost',
      rejectUnauthorized: false,
    })
    t.after(() => session.destroy())
    session.on('error', () => {})
    for (let nth = 0; nth < 100; nth++) {
      session
        .request({ ':path': '/', ':authority': 'many.localhost' })
        .on('error', () => {})
        .on('response', ({ ':status': status }) => statuses.push(status))
        .resume()
    }
  }
  for (let nth = 0; nth < MOST / 100; nth++) hundred()
  await until('all are held', async () =>
    (await said('show table held')).includes(`conn_cur=${MOST}`),
  )
  assert.deepEqual(statuses, [])

  const wakes = async () =>
    Number(/^tasksw: (\d+)/m.exec(await said('show activity'))?.[1])
  const threads = Number(/^Nbthread: (\d+)/m.exec(await said('show info'))?.[1])
  const [began, before] = [performance.now(), await wakes()]
  await pause(SECOND)
  const perSecond = ((await wakes()) - before) / ((performance.now() - began) / SECOND)
  assert.ok(perSecond < 7500 * threads, `they were looked at ${perSecond} times a second`)

  hundred()
  await until('one more is too many', () => statuses.length === 100)
  assert.deepEqual(statuses, Array<number>(100).fill(503))
  await router.dyno(app, await aBackend(t, (_, it) => it.end('here')))
  await router.look()
  await until('all are answered', () => statuses.length === MOST + 100)
  assert.deepEqual(new Set(statuses.slice(100)), new Set([200]))
})
