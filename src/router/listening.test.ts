/** The addresses and ports that the router listens on. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'

import { aBackend, aRouter, get } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { failedReloads } from './haproxy-master.ts'
import { hasIpv6 } from './haproxy-program.ts'
import { routerPaths } from './router-paths.ts'

const pool = aDatabase()

test('below a domain of its own a dyno is told of clients as they are', async (t) => {
  const router = await aRouter(t, pool)
  await pool.query(`update regions set domain = 'apps.example.com' where id = $1`, [
    router.region.id,
  ])
  const app = await router.app('telling')
  const dyno = await aBackend(t, ({ headers }, it) =>
    it.end(headers['x-forwarded-for'] as string),
  )
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  await router.look()
  const told = async (host: string) =>
    (await get({ host, port: router.port }, '/', { host: 'telling.apps.example.com' }))
      .body
  assert.equal(await told('127.0.0.1'), '127.0.0.1')
  if (hasIpv6()) assert.equal(await told('::1'), '::1')
})

test('a reload that fails is not tried again until there is something else to try', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('served')
  await router.dyno(app, await aBackend(t, (_, it) => it.end('served')))
  await router.look()
  await router.start()
  await router.look()

  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const listenByTlsOn = (port: number) =>
    pool.query('update regions set https_port = $2 where id = $1', [
      router.region.id,
      port,
    ])
  await listenByTlsOn((other.address() as AddressInfo).port)
  const paths = routerPaths(router.directory)
  for (let look = 0; look < 3; look++) {
    await router.look()
    assert.equal(await failedReloads(paths), 1)
  }
  assert.equal((await router.get('served.localhost')).body, 'served')

  await listenByTlsOn(router.tlsPort)
  await router.look()
  assert.equal((await router.get('served.localhost')).body, 'served')
})
