/** HAProxy refuses a reload: all that needs none goes on. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, aRouter, type ARouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { type AppId, type DynoId, newId } from '../model/ids.ts'
import { wake } from '../store/work.ts'
import { runLoop } from '../work/loop.ts'
import { failedReloads } from './haproxy-master.ts'
import { maxConnections } from './haproxy-program.ts'
import { ask } from './haproxy-socket.ts'
import { within } from './old-shape.ts'
import { routerPaths } from './router-paths.ts'
import type { RoutingTable, Server } from './routing-table.ts'

const pool = aDatabase()

const answering = (t: TestContext, text: string) => aBackend(t, (_, it) => it.end(text))

async function listenByTlsOn(router: ARouter, port: number): Promise<void> {
  await pool.query('update regions set https_port = $2 where id = $1', [
    router.region.id,
    port,
  ])
}

/** From now on it cannot have the port that it is to listen on. */
async function refuse(t: TestContext, router: ARouter): Promise<void> {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  await listenByTlsOn(router, (other.address() as AddressInfo).port)
}

/** Until nothing is left to do but what takes a reload: it looks again only as it always does. */
async function lookTillDone(router: ARouter): Promise<void> {
  await until('all is done', async () => (await router.look()) === 5 * SECOND)
}

function shownAt({ tlsPort }: ARouter, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: tlsPort, servername }
    const socket = connect({ ...options, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.subjectAltName ?? '')
      socket.end()
    }).on('error', reject)
  })
}

async function putInSlot(router: ARouter, slot: number, app: AppId): Promise<void> {
  await pool.query('insert into router_slots (region, slot, app) values ($1, $2, $3)', [
    router.region.name,
    slot,
    app,
  ])
}

function serverOf(dyno: DynoId, backend: string): Server {
  return { dyno, backend, name: `web.1:${dyno}`, address: '127.0.0.1', port: 1 }
}

test('dynos, apps, domains and certificates come and go', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('served')
  const first = await router.dyno(app, await answering(t, 'first'))
  await router.look()
  await router.start()
  await router.look()
  await refuse(t, router)
  await lookTillDone(router)

  const second = await router.dyno(app, await answering(t, 'second'))
  const other = await router.app('another')
  await router.dyno(other, await answering(t, 'another'))
  await router.domain(other, 'www.example.com', await aCertificate(['www.example.com']))
  await lookTillDone(router)
  assert.equal(await router.isRouted(second), true)
  assert.equal((await router.get('another.localhost')).body, 'another')
  assert.equal((await router.get('www.example.com')).body, 'another')
  assert.equal(await shownAt(router, 'www.example.com'), 'DNS:www.example.com')

  await router.become(first, 'stopping')
  await pool.query('update apps set maintenance = true where id = $1', [other])
  await lookTillDone(router)
  assert.equal(await router.isRouted(first), false, 'it may be told to stop')
  assert.equal((await router.get('served.localhost')).body, 'second')
  assert.match((await router.get('another.localhost')).body, /undergoing maintenance/)
  assert.equal(await failedReloads(routerPaths(router.directory)), 1)

  await listenByTlsOn(router, router.tlsPort)
  await router.look()
  assert.equal((await router.get('served.localhost')).body, 'second')
})

test('a dyno that only a reload brings requests is not said to have any', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('early')
  await router.look()
  await router.start()
  await router.look()
  await refuse(t, router)
  const late = await router.app('late')
  await putInSlot(router, 300, late)
  const [one, other] = [
    await router.dyno(app, await answering(t, 'early')),
    await router.dyno(late, await answering(t, 'late')),
  ]
  await lookTillDone(router)
  assert.equal(await router.isRouted(one), true)
  assert.equal((await router.get('early.localhost')).body, 'early')
  assert.equal(await router.isRouted(other), false)
  assert.equal((await router.get('late.localhost')).status, 404)

  await listenByTlsOn(router, router.tlsPort)
  await router.look()
  assert.equal(await router.isRouted(other), true)
  assert.equal((await router.get('late.localhost')).body, 'late')
})

test('a wake is heeded, and the log hears of the refusal once', async (t) => {
  const told: string[] = []
  const error = (_: string, cause: unknown) => void told.push(String(cause))
  const log = { ...silentLog, error }
  const router = await aRouter(t, pool, { byTls: true, log })
  const { id: subject, name: region } = router.region
  await router.look()
  await router.start()
  await router.look()
  await refuse(t, router)

  const stop = new AbortController()
  const looks = { router: () => router.look() }
  const loop = runLoop(
    { pool, region, looks, log, overdue: () => assert.fail('a look outlived its lease') },
    stop.signal,
  )
  try {
    for (const name of ['heeded', 'heeded-too']) {
      await router.app(name)
      await wake(pool, { kind: 'router', subject, region })
      await until('the wake is heeded', async () => {
        const { rowCount } = await pool.query(
          'select from work where subject = $1 and heeded = wakes and failures = 0',
          [subject],
        )
        return rowCount === 1
      })
    }
  } finally {
    stop.abort()
    await loop
  }
  assert.equal(told.length, 1)
  assert.match(told.join(), /could not take its new configuration/)
})

test('one that was begun with few files is asked for no more connections than these allow', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('few')
  await router.dyno(app, await answering(t, 'few'))
  await router.look()
  const files = 2000
  const most = maxConnections(files)
  const { config, masterSocket, adminSocket } = routerPaths(router.directory)
  const text = await readFile(config, 'utf8')
  // As a manager with that limit wrote it.
  await writeFile(config, text.replace(/^ {2}maxconn \d+$/m, `  maxconn ${most}`))
  const script = `ulimit -n ${files} && exec haproxy -W -S "$1" -f "$2"`
  const haproxy = spawn('sh', ['-c', script, 'sh', masterSocket, config], {
    stdio: 'ignore',
  })
  t.after(() => haproxy.kill())
  const has = async (maxconn: number) => {
    const answer = await ask(adminSocket, ['show info'])
    return answer.is === 'answered' && answer.text.includes(`\nMaxconn: ${maxconn}\n`)
  }
  await until('it serves', () => has(most))

  await putInSlot(router, 300, await router.app('grown'))
  await router.look()
  assert.ok(await has(most))
  assert.equal(await failedReloads(routerPaths(router.directory)), 0)
  assert.equal((await router.get('few.localhost')).body, 'few')
})

test('what leads to a backend that the worker lacks stays as it is there', () => {
  const dyno = newId<'dyno'>()
  const table: RoutingTable = {
    hosts: new Map([
      ['moved.localhost', 'patient0/up/routing/a'],
      ['new.localhost', 'patient1/up/routing/b'],
      ['error:a', 'https://example.com/a'],
      ['off.localhost', 'no_server/H80//c'],
    ]),
    servers: [serverOf(dyno, 'patient0'), serverOf(newId<'dyno'>(), 'patient1')],
    challenges: new Map(),
    sticky: new Set(),
    leftOut: [],
    pool: 256,
  }
  const present = { name: `web.1:${dyno}`, id: 1, inMaintenance: false, unchangedFor: 1 }
  const live = {
    shape: '',
    servers: [{ ...present, backend: 'app0' }],
    hosts: new Map([['moved.localhost', 'app0/up//a']]),
    challenges: new Map(),
  }
  const its = within(table, live, new Set(['app0', 'app1', 'no_server']))
  assert.deepEqual(
    [...its.hosts],
    [
      ['moved.localhost', 'app0/up//a'],
      ['error:a', 'https://example.com/a'],
      ['off.localhost', 'no_server/H80//c'],
    ],
  )
  assert.deepEqual(its.servers, [serverOf(dyno, 'app0')])
})
