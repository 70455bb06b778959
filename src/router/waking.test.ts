import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, connect, type Socket } from 'node:net'
import { chmodSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { aBackend, aRouter, type ARouter, takesUpgrades } from '../../test/a-router.ts'
import { isHeld, saidByHaproxy } from '../../test/asked-of-haproxy.ts'
import { HAPROXY_3 } from '../../test/haproxy-of-here.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { parseRouterRecord } from '../logs/router-line.ts'
import type { AppId } from '../model/ids.ts'
import { webTraffic } from './web-traffic.ts'

const pool = aDatabase()

async function sleep(app: AppId, asleep: boolean): Promise<void> {
  await pool.query(
    'update apps set idle_since = case when $2 then now() end where id = $1',
    [app, asleep],
  )
}

/** What the region's manager would hear, from now on. */
async function aManager(t: TestContext, router: ARouter): Promise<string[]> {
  const calls: string[] = []
  const path = join(router.directory, 'wake.sock')
  await rm(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (text: string) => calls.push(text))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  chmodSync(path, 0o666)
  t.after(() => server.close())
  return calls
}

async function slotOf(app: AppId): Promise<number> {
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  return rows[0]?.slot ?? -1
}

test('requests for an app that sleeps are held, and wake it', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('sleepy')
  const backend = await aBackend(t, (_, it) => it.end('good morning'))
  const dyno = await router.dyno(app, backend, 'idle')
  await sleep(app, true)
  await router.look()
  await router.start()
  const calls = await aManager(t, router)
  assert.deepEqual(calls, [])

  let answered = 0
  const began = performance.now()
  const held = Array.from({ length: 50 }, () =>
    router.get('sleepy.localhost').finally(() => answered++),
  )
  await until('the manager is told', () => calls.length > 0)
  assert.equal(calls[0], `${app}\n`)
  await sleep(app, false)
  await router.become(dyno, 'starting')
  await router.look()
  assert.equal(answered, 0)

  await router.become(dyno, 'up')
  await router.look()
  const bodies = (await Promise.all(held)).map(({ body }) => body)
  assert.deepEqual(new Set(bodies), new Set(['good morning']))
  // Each thread tells of it once a second.
  const most = availableParallelism() * ((performance.now() - began) / SECOND + 1)
  assert.ok(calls.length <= most, `${calls.length} calls, where ${most} are due`)
})

test('a manager that was away is told when it is back', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('patient')
  await sleep(app, true)
  await router.look()
  await router.start()
  let answered = false
  const held = router.get('patient.localhost').finally(() => (answered = true))
  await pause(100)
  const calls = await aManager(t, router)
  await until('it is told', () => calls.includes(`${app}\n`))
  assert.equal(answered, false)
  await router.dyno(app, await aBackend(t, (_, it) => it.end('at last')))
  await router.look()
  assert.equal((await held).body, 'at last')
})

test('more requests than may wait for an app are sent away at once', async (t) => {
  const router = await aRouter(t, pool)
  const [booting, other] = [await router.app('booting'), await router.app('other')]
  await router.look()
  await router.start()
  const asked = Array.from({ length: 200 }, () => router.get('booting.localhost'))
  // Who comes at the same moment as the last of them may count for it.
  await until('all are held', () => isHeld(router, 'conn_cur=200'))
  const rejected = await (async () => {
    for (;;) {
      asked.push(router.get('booting.localhost'))
      const one = await Promise.race([...asked, pause(50)])
      if (one) return one
    }
  })()
  assert.equal(rejected.status, 503)
  assert.match(rejected.body, /H11/)
  const another = router.get('other.localhost')

  for (const app of [booting, other]) {
    await router.dyno(app, await aBackend(t, (_, it) => it.end('up')))
  }
  await router.look()
  const answers = await Promise.all(asked)
  assert.equal(answers.filter(({ status }) => status === 200).length, 200)
  assert.equal((await another).status, 200)
  const line =
    /^at=error code=H11 desc="Backlog too deep" method=GET path="\/" host=booting\.localhost request_id=\S+ fwd="127\.0\.0\.1" dyno= connect= service= status=503 bytes= protocol=http1\.1 tls=false$/
  await until('there is a line', () =>
    router.records.some((it) => line.test(parseRouterRecord(it)?.message ?? '')),
  )
})

test('who leaves while held leaves the place, and the log tells', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('left-alone')
  await router.look()
  await router.start()
  const heldNow = async () => {
    const table = await saidByHaproxy(router, 'show table held')
    return Number(/conn_cur=(\d+)/.exec(table)?.[1] ?? 0)
  }
  const clients = Array.from({ length: 5 }, (_, n) =>
    connect(router.port, '127.0.0.1', function (this: Socket) {
      this.write(`GET /${n} HTTP/1.1\r\nHost: left-alone.localhost\r\n\r\n`)
    }).on('error', () => {}),
  )
  await until('they are held', async () => (await heldNow()) === 5)
  clients[0]?.resetAndDestroy()
  for (const client of clients.slice(1, 4)) client.destroy()
  const lines = () => router.records.flatMap((it) => parseRouterRecord(it)?.message ?? [])
  const areTold = (how: RegExp) =>
    until('there are lines', () => lines().filter((it) => how.test(it)).length === 4)
  // HAProxy 3 sees it when it turns to a dyno.
  if (!HAPROXY_3) {
    await until('one is left', async () => (await heldNow()) === 1)
    await areTold(
      /^sock=client at=warning code=H27 .* dyno= connect= service= status=499/,
    )
  }
  await router.dyno(app, await aBackend(t, (_, it) => it.end('up')))
  const answer = once(clients[4] as Socket, 'data')
  await router.look()
  assert.match(String((await answer)[0]), /^HTTP\/1\.1 200 /)
  if (HAPROXY_3) await areTold(/^sock=client at=warning code=H27 .* status=499/)
  clients[4]?.destroy()
})

test('when an app last had traffic is known, whatever becomes of HAProxy', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('asked')
  const backend = await aBackend(t, (_, it) => it.end('ok'))
  takesUpgrades(backend)
  await router.dyno(app, backend)
  await router.look()
  const slot = await slotOf(app)
  const quietFor = async () => (await webTraffic(router.directory)())(slot)
  /** At most; HAProxy tells whole seconds. */
  const isQuietSince = async (since: number, why?: string) => {
    const quiet = (await quietFor()) ?? Infinity
    assert.ok(quiet <= performance.now() - since + SECOND, why ?? `${quiet} ms`)
  }
  assert.equal(await quietFor(), undefined, 'nobody knows without HAProxy')

  await router.start()
  await router.get('asked.localhost')
  await until('it has been quiet', async () => ((await quietFor()) ?? 0) >= 2000)
  const again = performance.now()
  await router.get('asked.localhost')
  await isQuietSince(again)

  const socket = connect(router.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(
    'GET / HTTP/1.1\r\nHost: asked.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('data', resolve))
  await pause(1100)
  assert.equal(await quietFor(), 0, 'a websocket is open')

  // The socket stays with the worker of before the reload.
  const grown = await router.app('three-hundredth')
  await pool.query('insert into router_slots (region, slot, app) values ($1, 300, $2)', [
    router.region.name,
    grown,
  ])
  await router.look()
  await pause(1100)
  assert.equal(await quietFor(), 0, 'a websocket is open in the old worker')
  socket.destroy()
  await until(
    'it ended, and began that long ago',
    async () => ((await quietFor()) ?? 0) >= 1000,
  )

  await router.kill()
  const anew = performance.now()
  await router.start()
  await isQuietSince(anew, 'unknown counts as just now')
})
