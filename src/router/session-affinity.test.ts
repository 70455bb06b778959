/** Clients that come back to their dyno by a cookie, over a real HAProxy; and what is open as that is switched on and off. */

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aBackend, type ARouter, aRouter, type Got } from '../../test/a-router.ts'
import { saidByHaproxy, workerOf } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { underLoad } from '../../test/under-load.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import { type LiveServer, parseServers } from './live-router.ts'

const pool = aDatabase()

let shops = 0

async function aStickyWorld(t: TestContext) {
  const router = await aRouter(t, pool)
  const shop = `shop${++shops}`
  const app = await router.app(shop, { web: 3 })
  const dynos = new Map<string, DynoId>()
  for (const name of ['a', 'b', 'c']) {
    const at = await aBackend(t, (_, response) => response.end(name))
    dynos.set(name, await router.dyno(app, at))
  }
  const ask = (cookie = '') => router.get(`${shop}.localhost`, '/', { cookie })
  return { router, app, dynos, ask }
}

function cookieOf({ headers }: Got): string {
  return String(headers['set-cookie'] ?? '')
}

async function serversOf(router: ARouter): Promise<readonly LiveServer[]> {
  return parseServers(await saidByHaproxy(router, 'show servers state'))
}

async function answersFor(
  ask: (cookie: string) => Promise<Got>,
  cookie: string,
  times = 12,
): Promise<Set<string>> {
  const bodies = new Set<string>()
  for (let time = 0; time < times; time++) bodies.add((await ask(cookie)).body)
  return bodies
}

test('without the feature there is no cookie, and one that is sent means nothing', async (t) => {
  const { router, ask } = await aStickyWorld(t)
  await router.look()
  await router.start()
  const first = await ask()
  assert.equal(cookieOf(first), '')
  const bodies = await answersFor(ask, 'heroku-session-affinity=x; mine=1', 40)
  assert.equal(bodies.size, 3)
})

test('a client that keeps the cookie comes back to its dyno, until that is gone', async (t) => {
  const { router, app, dynos, ask } = await aStickyWorld(t)
  await router.wish(app, { sticky: true })
  // Of the file, as after a restart.
  await router.look()
  await router.start()
  const first = await ask()
  assert.match(
    cookieOf(first),
    /^heroku-session-affinity=[^;]+; path=\/; HttpOnly; Max-Age=86400$/,
  )
  const cookie = cookieOf(first).split(';')[0] ?? ''
  assert.deepEqual(await answersFor(ask, cookie), new Set([first.body]))
  assert.equal((await answersFor(ask, '', 40)).size, 3)

  await router.become(dynos.get(first.body) as DynoId, 'stopping')
  await until('it is out', async () => {
    await router.look()
    return !(await router.isRouted(dynos.get(first.body) as DynoId))
  })
  const next = await ask(cookie)
  assert.notEqual(next.body, first.body)
  const other = cookieOf(next).split(';')[0] ?? ''
  assert.match(other, /^heroku-session-affinity=/)
  assert.deepEqual(await answersFor(ask, other), new Set([next.body]))
})

test('affinity is switched on and off while HAProxy runs, for dynos that came meanwhile too', async (t) => {
  const { router, app, ask } = await aStickyWorld(t)
  await router.look()
  await router.start()
  const worker = await workerOf(router)
  await router.wish(app, { sticky: true })
  await router.look()
  const late = await aBackend(t, (_, response) => response.end('late'))
  await router.dyno(app, late)
  await router.look()
  const cookies = new Map<string, string>()
  await until('each dyno has been met', async () => {
    const got = await ask()
    cookies.set(got.body, cookieOf(got).split(';')[0] ?? '')
    return cookies.size === 4
  })
  assert.equal(new Set(cookies.values()).size, 4)
  for (const [body, cookie] of cookies) {
    assert.deepEqual(await answersFor(ask, cookie, 6), new Set([body]))
  }
  await router.wish(app, { sticky: false })
  await router.look()
  const [some = ''] = cookies.values()
  assert.equal((await answersFor(ask, some, 60)).size, 4)
  assert.equal(await workerOf(router), worker)
})

test('no request is lost while affinity comes and goes', async (t) => {
  const { router, app, ask } = await aStickyWorld(t)
  await router.look()
  await router.start()
  const load = underLoad(t, 8, () => ask())
  for (const sticky of [true, false, true, false]) {
    const sent = load.sent()
    await until('some are under way', () => load.sent() > sent + 100)
    await router.wish(app, { sticky })
    await router.look()
    await until('the former servers are gone', async () => {
      await router.look()
      const of = (await serversOf(router)).map(({ backend }) => backend)
      return of.length === 3 && of.every((it) => it.startsWith('wishes') === sticky)
    })
    assert.equal(cookieOf(await ask()) !== '', sticky)
  }
  assert.deepEqual(await load.stop(), [])
})

test('a websocket of before a change is looked after ever less often, and lasts', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('open')
  const at = await aBackend(t, undefined)
  at.server.on('upgrade', (_, socket: Socket) => {
    socket
      .on('error', () => {})
      .write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      )
    socket.pipe(socket)
  })
  await router.dyno(app, at)
  await router.look()
  await router.start()
  const client = connect(router.port, '127.0.0.1')
  t.after(() => client.destroy())
  let got = ''
  client.setEncoding('latin1').on('data', (text: string) => (got += text))
  client.write(
    'GET / HTTP/1.1\r\nHost: open.localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  )
  await until('it is a pipe', () => got.endsWith('\r\n\r\n'))

  await router.wish(app, { sticky: true })
  assert.ok((await router.look()) < 5 * SECOND, 'it may well end at once')
  await until('it is not looked at as often', async () => (await router.look()) >= 200)
  client.write('still')
  await until('it is open', () => got.endsWith('still'))
  client.destroy()
  await until('its server is gone', async () => {
    await router.look()
    return (await serversOf(router)).length === 1
  })
  assert.equal(await router.look(), 5 * SECOND)
})
