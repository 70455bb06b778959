/** Dynos that take no connection: others are tried, and they themselves left alone. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'

import { aFullPort } from '../../test/a-full-port.ts'
import { aBackend, aRouter, type ARouter, get } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { saidByHaproxy } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import type { AppId } from '../model/ids.ts'

const pool = aDatabase()

const quick = {
  connect: 0.3 * SECOND,
  firstByte: SECOND,
  idle: 2 * SECOND,
  boot: 2 * SECOND,
}
const ID = '[-0-9a-f]{36}'

let places = 0
const nextAddress = () => `127.10.${1 + (process.pid % 200)}.${++places}`

/** Nobody listens there. */
async function aClosedPort(): Promise<{ address: string; port: number }> {
  const address = nextAddress()
  const server = createTcpServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return { address, port }
}

/** A column of HAProxy's figures of the app's backend, by server; `BACKEND`: of all. */
async function figures(
  router: ARouter,
  app: AppId,
  column: string,
): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  const said = await saidByHaproxy(router, 'show stat')
  const [head, ...lines] = said.split('\n').map((line) => line.split(','))
  const at = head?.indexOf(column) ?? -1
  return new Map(
    lines
      .filter(([backend]) => backend === `app${rows[0]?.slot}`)
      .map((line) => [line[1]?.replace(/:.*/, '') ?? '', line[at] ?? '']),
  )
}

test('ten dynos are tried for a request, and no more', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const app = await router.app('all-dead', { web: 12 })
  const dynos = []
  for (let nth = 0; nth < 12; nth++) {
    const dyno = await aBackend(t, (_, it) => it.end('alive'))
    await router.dyno(app, dyno)
    dynos.push(dyno)
  }
  await router.look()
  await router.start()
  // HAProxy knows of none yet that it is dead.
  for (const dyno of dynos) dyno.close()
  const { status, body } = await router.get('all-dead.localhost', '/ten')
  assert.equal(status, 503)
  assert.match(body, /<h1>Application error<\/h1>/)
  assert.match(
    await aRouterLine(router, '/ten'),
    new RegExp(
      `^at=error code=H21 desc="Backend connection refused" method=GET path="/ten" host=all-dead\\.localhost request_id=${ID} fwd="127\\.0\\.0\\.1" dyno=(web\\.\\d+)? connect= service= status=503 bytes=0? protocol=http1\\.1 tls=false$`,
    ),
  )
  assert.equal((await figures(router, app, 'lbtot')).get('BACKEND'), '10')
})

test('with one that answers no request fails, and who refused is not asked again', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const app = await router.app('some-dead', { web: 5 })
  const dead = await Promise.all(Array.from({ length: 4 }, aClosedPort))
  for (const place of dead) await router.dyno(app, place)
  await router.dyno(app, await aBackend(t, (_, it) => it.end('alive')))
  await router.look()
  await router.start()
  for (let nth = 0; nth < 40; nth++) {
    assert.equal((await router.get('some-dead.localhost', `/${nth}`)).body, 'alive')
    assert.match(
      await aRouterLine(router, `/${nth}`),
      /^at=info .* dyno=web\.5 .* status=200 /,
    )
  }
  await until('all four are quarantined', async () => {
    await router.get('some-dead.localhost')
    const states = await figures(router, app, 'status')
    return [...states.values()].filter((it) => it === 'DOWN').length === 4
  })

  // They listen again, and hear of no request before HAProxy has tried whether they do.
  const heard = dead.map(() => [] as string[])
  for (const [nth, { address, port }] of dead.entries()) {
    const server = createServer((_, it) => {
      heard[nth]?.push('request')
      it.end('again')
    })
    server.on('connection', () => heard[nth]?.push('connection'))
    server.listen(port, address)
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  }
  for (let nth = 0; nth < 100; nth++) await router.get('some-dead.localhost')
  for (const events of heard) {
    const first = events.indexOf('request')
    const before = first < 0 ? events : events.slice(0, first)
    // The try, and the connection of the request.
    if (first >= 0) assert.ok(before.length >= 2, before.join())
    else assert.ok(before.length <= 1, before.join())
  }
})

test('nobody takes the connection in time', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const full = await router.app('full')
  const later = await router.app('full-later')
  await router.dyno(full, await aFullPort(t, nextAddress()))
  const well = await router.app('well')
  await router.dyno(well, await aBackend(t, (_, it) => it.end('ok')))
  await router.dyno(later, await aFullPort(t, nextAddress()))
  await router.look()
  await router.start()
  const { status, body } = await router.get('full.localhost', '/first')
  assert.equal(status, 503)
  assert.match(body, /<h1>Application error<\/h1>/)
  const line = new RegExp(
    `^at=error code=H19 desc="Backend connection timeout" method=GET path="/\\w+" host=full[-a-z]*\\.localhost request_id=${ID} fwd="127\\.0\\.0\\.1" dyno=(web\\.1)? connect=\\d{3,}ms service= status=503 bytes=0? protocol=http1\\.1 tls=false$`,
  )
  assert.match(await aRouterLine(router, '/first'), line)

  // HAProxy has no page for a request that is not its connection's first.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  assert.equal(
    (await get(router.port, '/', { host: 'well.localhost' }, agent)).body,
    'ok',
  )
  await assert.rejects(
    get(router.port, '/second', { host: 'full-later.localhost' }, agent),
    {
      code: 'ECONNRESET',
    },
  )
  assert.match(await aRouterLine(router, '/second'), line)
})
