/**
 * Who lets held requests go: HAProxy itself, as soon as it has a dyno to ask, however long it is until the
 * manager looks again. (How soon that is `bench/p4-first-request.ts` measures.) And how many there may be, for how long.
 */

import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aBackend, type ARouter, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { isHeld, saidByHaproxy } from '../../test/asked-of-haproxy.ts'
import { HAPROXY_3 } from '../../test/haproxy-of-here.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { pause, SECOND } from '../lib/clock.ts'
import type { AppId, DynoId } from '../model/ids.ts'
import { HEROKU_TIMEOUTS } from './router-settings.ts'
import { BACKLOG } from './routing-table.ts'

const pool = aDatabase()

const HELD = 20

/** Sets the state of the app's first dyno at HAProxy, which then has a dyno to ask, or none. */
async function stateOf(router: ARouter, app: AppId, dyno: DynoId) {
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  return (state: 'maint' | 'ready') =>
    saidByHaproxy(router, `set server app${rows[0]?.slot}/web.1:${dyno} state ${state}`)
}

/** As many requests on a connection of their own, which is what HTTP/2 has at once; notes their statuses as they come. */
function hundred(
  t: TestContext,
  { tlsPort }: ARouter,
  app: string,
  statuses: (number | undefined)[],
): void {
  const session = connectHttp2(`https://localhost:${tlsPort}`, {
    servername: `${app}.localhost`,
    rejectUnauthorized: false,
  })
  t.after(() => session.destroy())
  session.on('error', () => {})
  for (let nth = 0; nth < 100; nth++) {
    session
      .request({ ':path': '/', ':authority': `${app}.localhost` })
      .on('error', () => {})
      .on('response', ({ ':status': status }) => statuses.push(status))
      .resume()
  }
}

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
  const become = await stateOf(router, app, dyno)

  await become('maint')
  const asked = Array.from({ length: HELD }, (_, nth) =>
    router.get('held.localhost', `/${nth}`),
  )
  await until('all are held', () => isHeld(router, `conn_cur=${HELD}`))
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

test('a client that is to be told to go on is told before it is held', async (t) => {
  const timeouts = { ...HEROKU_TIMEOUTS, idle: 0.5 * SECOND }
  const router = await aRouter(t, pool, { timeouts })
  const app = await router.app('uploads')
  await router.look()
  await router.start()
  let heard = ''
  const dyno = await aBackend(t, (request, response) => {
    request.setEncoding('latin1').on('data', (text: string) => (heard += text))
    request.on('end', () => response.end('taken'))
  })
  let told = ''
  const client = connect(router.port, '127.0.0.1').setEncoding('latin1')
  t.after(() => client.destroy())
  client.on('error', () => {}).on('data', (text: string) => (told += text))
  client.write(
    'POST /expects HTTP/1.1\r\nHost: uploads.localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
  )
  await until('it is told', () => told !== '')
  assert.equal(told, 'HTTP/1.1 100 Continue\r\n\r\n')
  client.write('body')
  // A client may not be silent for as long in its body.
  await pause(3 * timeouts.idle)
  await router.dyno(app, dyno)
  await router.look()
  await until('it is answered', () => told.endsWith('taken'))
  assert.equal(heard, 'body')
  assert.match(await aRouterLine(router, '/expects'), /^at=info .* status=200 /)
})

/** A request to that path, of whose body more is to come. */
function part(path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: silent.localhost\r\nContent-Length: 4\r\n\r\na`
}

test(
  'a client that is silent in its body, or leaves, while it is held',
  { skip: HAPROXY_3 && 'notices neither' },
  async (t) => {
    const timeouts = { ...HEROKU_TIMEOUTS, idle: 2 * SECOND }
    const router = await aRouter(t, pool, { timeouts })
    await router.app('silent')
    await router.look()
    await router.start()
    const asked = performance.now()
    const [silent, lasted] = await Promise.all([
      whatAClientGets(router, part('/silent')),
      whatAClientGets(router, part('/silent')).then(() => performance.now() - asked),
      whatAClientGets(router, part('/gone'), (it) => setTimeout(() => it.destroy(), 100)),
    ])
    assert.match(silent, /^HTTP\/1\.1 503 /)
    assert.ok(lasted >= timeouts.idle, `it was hung up on after ${lasted} ms`)
    assert.match(
      await aRouterLine(router, '/silent'),
      /^at=warning code=H28 desc="Client Connection Idle" .* dyno= .* status=499/,
    )
    assert.match(await aRouterLine(router, '/gone'), /^sock=client at=warning code=H27 /)
  },
)

test('who was let go does not wait any more', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('crowd')
  await router.look()
  await router.start()
  const statuses: (number | undefined)[] = []
  for (let nth = 0; nth < BACKLOG / 100; nth++) hundred(t, router, 'crowd', statuses)
  await until('all are held', () => isHeld(router, `conn_cur=${BACKLOG}`))
  const begun: ServerResponse[] = []
  const backend = await aBackend(t, (_, it) => {
    it.write('here')
    begun.push(it)
  })
  const dyno = await router.dyno(app, backend)
  await router.look()
  await until('all are let go', () => statuses.length === BACKLOG)
  const become = await stateOf(router, app, dyno)
  await become('maint')
  const one = router.get('crowd.localhost', '/one')
  await until('one more is held', () => isHeld(router, `conn_cur=${BACKLOG + 1}`))
  await become('ready')
  await until('it is let go', () => begun.length === BACKLOG + 1)
  for (const it of begun) it.end()
  assert.equal((await one).body, 'here')
  assert.deepEqual(new Set(statuses), new Set([200]))
})

/** What an app may have held, however many web dynos it is scaled to. */
const MOST = 500

test('an app has no more held than its first dyno takes at once, and they cost little', async (t) => {
  const router = await aRouter(t, pool, { byTls: true, threads: 8 })
  const app = await router.app('many', { web: 100 })
  await router.look()
  await router.start()
  const statuses: (number | undefined)[] = []
  for (let nth = 0; nth < MOST / 100; nth++) hundred(t, router, 'many', statuses)
  await until('all are held', () => isHeld(router, `conn_cur=${MOST}`))
  assert.deepEqual(statuses, [])

  const wakes = async () =>
    Number(/^tasksw: (\d+)/m.exec(await saidByHaproxy(router, 'show activity'))?.[1])
  const [began, before] = [performance.now(), await wakes()]
  await pause(SECOND)
  const perSecond = ((await wakes()) - before) / ((performance.now() - began) / SECOND)
  assert.ok(perSecond < 15_000, `they were looked at ${perSecond} times a second`)

  hundred(t, router, 'many', statuses)
  await until('one more is too many', () => statuses.length === 100)
  assert.deepEqual(statuses, Array<number>(100).fill(503))
  await router.dyno(app, await aBackend(t, (_, it) => it.end('here')))
  await router.look()
  await until('all are answered', () => statuses.length === MOST + 100)
  assert.deepEqual(new Set(statuses.slice(100)), new Set([200]))
})
