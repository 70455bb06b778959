/** An upgrade whose first dyno takes no connection goes on to another, as any request does. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aBackend, aRouter, takesUpgrades } from '../../test/a-router.ts'
import { saidByHaproxy } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'

const pool = aDatabase()

const SWITCHED = /^HTTP\/1\.1 101 Switching Protocols\r\n/

test('an upgrade that a dyno refuses to connect for goes to another', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('upgrades')
  const [gone, other] = [await aBackend(t, () => {}), await aBackend(t, () => {})]
  takesUpgrades(gone)
  takesUpgrades(other)
  await router.dyno(app, gone)
  await router.dyno(app, other)
  await router.look()
  await router.start()
  const upgraded = () =>
    whatAClientGets(
      router,
      'GET / HTTP/1.1\r\nHost: upgrades.localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      (it) => it.once('data', () => it.end()),
    )
  assert.match(await upgraded(), SWITCHED)
  gone.close()
  // Which is asked first is chance; who refused once is asked no more.
  const wentOn = async () => {
    const said = await saidByHaproxy(router, 'show stat')
    const [head, ...lines] = said.split('\n').map((line) => line.split(','))
    const redispatched = head?.indexOf('wredis') ?? -1
    return lines.some((line) => line[1] === 'BACKEND' && Number(line[redispatched]) > 0)
  }
  do assert.match(await upgraded(), SWITCHED)
  while (!(await wentOn()))
})
