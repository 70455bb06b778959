/** The ids that the router gives requests: of a UUID's form, and each another's. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectByHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, type ARouter, aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'

const pool = aDatabase()

const REQUESTS = 500
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What its dyno is told of each request. */
async function anAppThatNotes(t: TestContext, host: string) {
  const router = await aRouter(t, pool, { byTls: true })
  const told: string[] = []
  const app = await router.app(`noting-${router.port}`)
  const its = await aCertificate([host])
  await router.domain(app, host, its)
  const dyno = await aBackend(t, ({ headers }, it) => {
    told.push(String(headers['x-request-id']))
    it.end()
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  await router.look()
  return { router, told, its }
}

async function assertEachAnothers(router: ARouter, told: readonly string[]) {
  assert.equal(told.length, REQUESTS)
  assert.deepEqual(
    told.filter((id) => !UUID.test(id)),
    [],
  )
  assert.equal(new Set(told).size, REQUESTS)
  await until('each has its record', () => router.records.length >= REQUESTS)
  const records = router.records.join('\n')
  assert.ok(told.every((id) => records.includes(` request_id=${id} `)))
}

test('each request of a connection has an id of its own', async (t) => {
  const { router, told } = await anAppThatNotes(t, 'one.example.com')
  const client = connect(router.port, '127.0.0.1').resume()
  t.after(() => client.destroy())
  client.write('GET / HTTP/1.1\r\nhost: one.example.com\r\n\r\n'.repeat(REQUESTS))
  await until('all are asked', () => told.length === REQUESTS)
  await assertEachAnothers(router, told)
})

for (const [named, host, headers] of [
  [':authority', 'two.example.com', {}],
  ['host alone', 'three.example.com', { host: 'three.example.com' }],
] as const) {
  test(`so has each of those that come at once by HTTP/2, by ${named}`, async (t) => {
    const { router, told, its } = await anAppThatNotes(t, host)
    const session = connectByHttp2(`https://${host}:${router.tlsPort}`, {
      ca: its.certificate,
      host: '127.0.0.1',
      servername: host,
    })
    t.after(() => session.destroy())
    await once(session, 'connect')
    const streams = Array.from({ length: REQUESTS }, () =>
      session.request(headers).resume(),
    )
    await Promise.all(streams.map((it) => once(it, 'end')))
    await assertEachAnothers(router, told)
  })
}

test('so has each that is sent away at once', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('full')
  let underWay = 0
  const dyno = await aBackend(t, () => void underWay++)
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  await router.look()
  for (let nth = 0; nth < 2000; nth++) router.get('full.localhost').catch(() => {})
  await until('they are under way', () => underWay === 2000)
  assert.equal((await router.get('full.localhost')).status, 503)

  await assertEachHasItsOwn(router, t, 'full.localhost')
})

test('so has each that is sent to HTTPS', async (t) => {
  const { router } = await anAppThatNotes(t, 'four.example.com')
  const app = await router.app('by-tls-alone')
  await router.wish(app, { httpsOnly: true })
  await router.dyno(app, await aBackend(t, () => {}))
  await router.look()
  await assertEachHasItsOwn(router, t, 'by-tls-alone.localhost')
})

/** Of many that are answered at once, without a dyno. */
async function assertEachHasItsOwn(router: ARouter, t: TestContext, host: string) {
  const client = connect(router.port, '127.0.0.1').resume()
  t.after(() => client.destroy())
  client.write(`GET /more HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(REQUESTS))
  const records = () => router.records.filter((it) => it.includes('"/more"'))
  await until('all have their records', () => records().length === REQUESTS)
  const ids = records().map((it) => / request_id=(\S+) /.exec(it)?.[1])
  assert.equal(new Set(ids).size, REQUESTS)
}
