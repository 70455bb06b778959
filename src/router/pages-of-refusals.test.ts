/** An app's own page lies over ours, also where a request is refused before a dyno is asked. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { isHeld } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const quick = { connect: SECOND, firstByte: SECOND, idle: SECOND, boot: SECOND }

/** The rest of the request line, headers, and a body; status. */
const refused: readonly (readonly [string, string, number])[] = [
  ['CONNECT', '\r\n', 405],
  ['GET', 'Connection: upgrade\r\n\r\n', 400],
  ['POST', 'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n', 408],
]

test('an app’s own page is shown to whom is refused', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const errorPage = 'https://pages/error'
  const apps = { own: await router.app('own'), slow: await router.app('slow') }
  await router.wish(apps.own, { routing: { errorPage } })
  await router.wish(apps.slow, { routing: { errorPage, responseTimeout: 2 * SECOND } })
  const none = await router.app('none')
  for (const app of [apps.own, apps.slow, none])
    await router.dyno(app, await aBackend(t, (_, response) => response.end('ok')))
  await router.look()
  await router.start()

  const all = refused.flatMap(([method, rest, status], nth) =>
    ['own', 'slow', 'none'].map(async (name) => {
      const host = `${name}.localhost:80`
      const target = method === 'CONNECT' ? host : `/${name}-${nth}`
      const got = await whatAClientGets(
        router,
        `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${rest}`,
      )
      const what = `${method} ${name} ${got.slice(0, 400)}`
      assert.ok(got.includes(`HTTP/1.1 ${status} `), what)
      assert.ok(got.includes(` src="${name === 'none' ? '' : errorPage}"`), what)
      if (method === 'CONNECT') return
      assert.match(await aRouterLine(router, target), / code=H26 /, what)
    }),
  )
  await Promise.all(all)
})

test('who was held sees the page of where they have come to by then', async (t) => {
  const router = await aRouter(t, pool)
  const routing = { errorPage: 'https://pages/error' }
  const apps = {
    closing: await router.app('closing'),
    moving: await router.app('moving'),
  }
  for (const app of Object.values(apps)) await router.wish(app, { routing })
  const plain = await router.app('plain')
  const hangsUp = await aBackend(t, (request) => request.socket.destroy())
  await router.dyno(plain, hangsUp)
  await router.look()
  await router.start()
  await router.look()
  const [closed, moved] = ['closing', 'moving'].map((it) => router.get(`${it}.localhost`))
  await until('both are held', () => isHeld(router, ...Object.values(apps)))
  await pool.query('update apps set maintenance = true where id = $1', [apps.closing])
  await pool.query(`update apps set name = 'moved' where id = $1`, [apps.moving])
  await pool.query(`update apps set name = 'moving' where id = $1`, [plain])
  await router.look()
  for (const answer of [await closed, await moved]) {
    assert.equal(answer?.status, 503)
    assert.ok(!answer.body.includes(routing.errorPage), answer.body)
  }
})
