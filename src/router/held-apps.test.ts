/** Requests that wait for the first dyno of their app, and what becomes of that meanwhile. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { isHeld } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'

const pool = aDatabase()

test('a request waits for the first dyno of its app', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('booting')
  const backend = await aBackend(t, (_, it) => it.end('awake'))
  const dyno = await router.dyno(app, backend, 'starting')
  await router.look()
  await router.start()
  let answered = false
  const held = router.get('booting.localhost').finally(() => (answered = true))
  assert.equal((await router.get('unknown.localhost')).status, 404)
  assert.equal(answered, false)

  await router.become(dyno, 'up')
  await router.look()
  assert.equal((await held).body, 'awake')
})

test('a name that ends with a dot is the same name, also to one who waits', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('dotted')
  await router.look()
  await router.start()
  const held = router.get('dotted.localhost.')
  await until('it is held', () => isHeld(router, app))
  await router.dyno(app, await aBackend(t, (_, it) => it.end('awake')))
  await router.look()
  assert.equal((await held).body, 'awake')
})

test('a held request gets the page of what became of its app', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('hopeless')
  const dyno = await router.dyno(app, { address: '127.0.0.7', port: 5002 }, 'starting')
  await router.look()
  await router.start()
  const held = router.get('hopeless.localhost', '/hopeless')
  await router.become(dyno, 'crashed')
  await router.look()
  assert.equal((await held).status, 503)
  assert.match(await aRouterLine(router, '/hopeless'), /code=H10/)
})

test('a held request whose app goes by another name, or is no more, is nobody`s', async (t) => {
  const router = await aRouter(t, pool)
  const [renamed, destroyed] = [await router.app('before'), await router.app('destroyed')]
  await router.look()
  await router.start()
  const held = ['before', 'destroyed'].map((it) => router.get(`${it}.localhost`, '/held'))
  await until('both are held', () => isHeld(router, renamed, destroyed))
  await pool.query(`update apps set name = 'after' where id = $1`, [renamed])
  await pool.query('update apps set deleted_at = now() where id = $1', [destroyed])
  await router.look()
  for (const { status, body } of await Promise.all(held)) {
    assert.equal(status, 404)
    assert.match(body, /There is no app at this address/)
  }
  // Its line would be the first.
  await router.dyno(renamed, await aBackend(t, (_, it) => it.end('ok')))
  await router.look()
  assert.equal((await router.get('after.localhost', '/told')).body, 'ok')
  await aRouterLine(router, '/told')
  assert.deepEqual(
    router.records.filter((it) => it.includes('/held')),
    [],
  )
})
