/** How many requests an app may have under way: see `tooMany` in limit-rules.ts. */

import assert from 'node:assert/strict'
import { Agent, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'

import { aBackend, type ARouter, aRouter, get, type Got } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { MINUTE } from '../lib/clock.ts'
import type { AppRouting } from '../model/app-routing.ts'
import type { AppId } from '../model/ids.ts'
import { HEROKU_TIMEOUTS } from './router-settings.ts'

const pool = aDatabase()

const PER_DYNO = 2000
/** A program in Node has room for 511 connections that it has yet to take; the others come a second later, or three. */
const PATIENT = { ...HEROKU_TIMEOUTS, connect: MINUTE, firstByte: 5 * MINUTE }

/** It answers when it is told to, or at once below `/now`. */
async function aSlowApp(
  t: TestContext,
  router: ARouter,
  name: string,
  routing?: AppRouting,
) {
  const waiting: ServerResponse[] = []
  const app: AppId = await router.app(name)
  const dyno = await aBackend(t, ({ url }, it) => {
    if (url?.startsWith('/now')) it.end('now')
    else waiting.push(it)
  })
  await router.dyno(app, dyno)
  if (routing) await router.wish(app, { routing })
  await router.look()
  const asked: Promise<Got>[] = []
  return {
    async fill() {
      while (asked.length < PER_DYNO) asked.push(router.get(`${name}.localhost`))
      await until('they are under way', () => waiting.length === PER_DYNO)
    },
    /** The statuses of all of them. */
    async end() {
      for (const response of waiting) response.end()
      return new Set((await Promise.all(asked)).map(({ status }) => status))
    },
    waiting,
  }
}

test('more than 2,000 requests under way for each web dyno are sent away at once', async (t) => {
  const router = await aRouter(t, pool, { timeouts: PATIENT })
  await router.look()
  await router.start()
  const slow = await aSlowApp(t, router, 'slow')
  const other = await aSlowApp(t, router, 'other')
  await slow.fill()
  for (const method of ['GET', 'POST']) {
    const path = `/now?${method}`
    const { status, body } = await router.get('slow.localhost', path, {}, method)
    assert.equal(status, 503)
    assert.match(body, /H11/)
  }
  assert.match(
    await aRouterLine(router, '/now?GET'),
    /^at=error code=H11 desc="Backlog too deep" method=GET path="\/now\?GET" host=slow\.localhost request_id=\S+ fwd="127\.0\.0\.1" dyno= connect= service= status=503 bytes= protocol=http1\.1 tls=false$/,
  )
  await other.fill()

  slow.waiting.shift()?.end()
  await until('there is a place', async () => {
    const { status, body } = await router.get('slow.localhost', '/now')
    return status === 200 && body === 'now'
  })
  assert.deepEqual(await slow.end(), new Set([200]))
  assert.deepEqual(await other.end(), new Set([200]))
})

test('of an app with wishes it is the same, with its own page', async (t) => {
  const router = await aRouter(t, pool, { timeouts: PATIENT })
  await router.look()
  await router.start()
  const routing = { errorPage: 'https://pages/error' }
  const app = await aSlowApp(t, router, 'choosy', routing)
  await app.fill()
  const { status, body } = await router.get('choosy.localhost', '/now')
  assert.equal(status, 503)
  assert.match(body, /H11/)
  assert.match(body, /src="https:\/\/pages\/error"/)
  assert.deepEqual(await app.end(), new Set([200]))
})

test('who comes by a connection of before a reload is counted, and told of, once', async (t) => {
  const router = await aRouter(t, pool, { timeouts: PATIENT })
  await router.look()
  await router.start()
  const app = await aSlowApp(t, router, 'reloaded')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const host = 'reloaded.localhost'
  assert.equal((await get(router.port, '/now', { host }, agent)).body, 'now')

  const grown = await router.app('three-hundredth')
  await pool.query('insert into router_slots (region, slot, app) values ($1, 300, $2)', [
    router.region.name,
    grown,
  ])
  await router.look()
  await app.fill()
  const { status, body } = await get(router.port, '/now?late', { host }, agent)
  assert.equal(status, 503)
  assert.match(body, /H11/)
  assert.match(await aRouterLine(router, '/now?late'), / code=H11 .* dyno= .*status=503/)
  assert.equal(router.records.filter((it) => it.includes('/now?late')).length, 1)
  assert.deepEqual(await app.end(), new Set([200]))
})
