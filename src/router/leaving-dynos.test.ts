/** Dynos that leave, and die, while requests are under way. */

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'

import { aBackend, aRouter, type ARouter, get } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import type { AppId } from '../model/ids.ts'

const pool = aDatabase()

/** A dyno with one request under way, which it ends when told to `finish`. */
async function aDynoAtWork(t: TestContext, router: ARouter, app: AppId, host: string) {
  let finish: (() => void) | undefined
  const backend = await aBackend(t, (_, it) => {
    it.write('first,')
    finish = () => it.end('last')
  })
  const dyno = await router.dyno(app, backend)
  await router.look()
  const underWay = router.get(host)
  await until('it is under way', () => finish !== undefined)
  return { dyno, underWay, finish: () => finish?.() }
}

test('a dyno keeps the request it has, gets no new one, and then is let go', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('slow')
  await router.look()
  await router.start()
  const { dyno, underWay, finish } = await aDynoAtWork(t, router, app, 'slow.localhost')

  await router.dyno(app, await aBackend(t, (_, it) => it.end('other')))
  await router.become(dyno, 'stopping')
  assert.ok((await router.look()) <= 50)
  assert.equal(await router.isRouted(dyno), true)
  for (let i = 0; i < 20; i++) {
    assert.equal((await router.get('slow.localhost')).body, 'other')
  }

  finish()
  assert.equal((await underWay).body, 'first,last')
  await until('it is let go', async () => {
    await router.look()
    return !(await router.isRouted(dyno))
  })
})

test('a dyno that never falls silent is let go after a while, its requests going on', async (t) => {
  let drainTimeout = 60_000
  const router = await aRouter(t, pool, { drainTimeout: () => drainTimeout })
  const app = await router.app('endless')
  await router.look()
  await router.start()
  const { dyno, underWay, finish } = await aDynoAtWork(
    t,
    router,
    app,
    'endless.localhost',
  )
  await router.become(dyno, 'stopping')
  await router.look()
  assert.equal(await router.isRouted(dyno), true)
  // An operator's new setting is for it, too.
  drainTimeout = 0
  await router.look()
  assert.equal(await router.isRouted(dyno), false)
  finish()
  assert.equal((await underWay).body, 'first,last')
})

test('a dead dyno is gone at once, and its requests are sent to another', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('mortal')
  await router.look()
  await router.start()
  const dead = await aBackend(t, (_, it) => it.end('dead'))
  const dyno = await router.dyno(app, dead)
  await router.dyno(app, await aBackend(t, (_, it) => it.end('alive')))
  await router.look()
  dead.close()
  for (let i = 0; i < 50; i++) {
    assert.equal((await router.get('mortal.localhost')).body, 'alive')
  }
  await router.become(dyno, 'crashed')
  await router.look()
  assert.equal(await router.isRouted(dyno), false)
})

test('a dyno keeps the requests it has from before a reload', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('slow-reload')
  let finish: (() => void) | undefined
  const slow = await aBackend(t, (_, it) => {
    it.write('first,')
    finish = () => it.end('last')
  })
  const dyno = await router.dyno(app, slow)
  await router.look()
  await router.start()
  const underWay = router.get('slow-reload.localhost')
  await until('it is under way', () => finish !== undefined)
  for (let n = 0; n < 256; n++) await router.app(`another-${n}`, { web: 0 })
  await router.look()

  await router.become(dyno, 'stopping')
  const delay = await router.look()
  assert.ok(delay <= 50, `it would look again after ${delay} ms`)
  assert.equal(await router.isRouted(dyno), true)
  finish?.()
  assert.equal((await underWay).body, 'first,last')
  await until('it is let go', async () => {
    await router.look()
    return !(await router.isRouted(dyno))
  })
})

test('the time to drain is counted by HAProxy, whatever the clocks say', async (t) => {
  const router = await aRouter(t, pool, { drainTimeout: () => 60_000 })
  const app = await router.app('clocked')
  await router.look()
  await router.start()
  const { dyno, underWay, finish } = await aDynoAtWork(
    t,
    router,
    app,
    'clocked.localhost',
  )
  await router.become(dyno, 'stopping')
  for (const moved of ['1 day', '-1 day']) {
    await pool.query('update dynos set updated_at = now() + $2 where id = $1', [
      dyno,
      moved,
    ])
    await router.look()
    assert.equal(await router.isRouted(dyno), true)
  }
  finish()
  await underWay
})

test('a kept connection survives the dyno it was served by', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('kept')
  const vanishing = await aBackend(t, (_, it) => it.end('one'))
  const dyno = await router.dyno(app, vanishing)
  await router.look()
  await router.start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = () => get(router.port, '/', { host: 'kept.localhost' }, agent)
  assert.equal((await ask()).body, 'one')

  await router.dyno(app, await aBackend(t, (_, it) => it.end('two')))
  await router.look()
  vanishing.close()
  for (let i = 0; i < 10; i++) assert.equal((await ask()).body, 'two')
  await router.become(dyno, 'crashed')
  await router.look()
  assert.equal((await ask()).body, 'two')
})
