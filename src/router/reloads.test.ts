/** What becomes of connections that are older than a reload. */

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aBackend, type ARouter, aRouter } from '../../test/a-router.ts'
import { workerOf } from '../../test/asked-of-haproxy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { busyServers } from './busy-servers.ts'
import { reload } from './haproxy-master.ts'
import { ask } from './haproxy-socket.ts'
import { parseOldWorkers } from './live-router.ts'
import { routerPaths } from './router-paths.ts'

const pool = aDatabase()

interface Echo {
  isOpen(): boolean
  /** What came back of it. */
  say(text: string): Promise<string>
  close(): void
}

async function anEcho(t: TestContext, { port }: ARouter, host: string): Promise<Echo> {
  const socket: Socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let got = ''
  socket.setEncoding('latin1').on('error', () => {})
  socket.on('data', (text: string) => (got += text))
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`,
  )
  await until('it is a pipe', () => got.endsWith('\r\n\r\n'))
  return {
    isOpen: () => !socket.closed,
    async say(text) {
      got = ''
      socket.write(text)
      await until('it comes back', () => got.length === text.length || socket.closed)
      return got
    },
    close: () => socket.destroy(),
  }
}

/** Undefined while the master reloads itself. */
async function oldWorkers(master: string): Promise<number | undefined> {
  const answer = await ask(master, ['show proc'])
  const isWhole = answer.is === 'answered' && answer.text.includes('# workers')
  return isWhole ? parseOldWorkers(answer.text).length : undefined
}

test('a websocket goes on through four reloads, and its worker ends with it', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('echo')
  const dyno = await aBackend(t, undefined)
  dyno.server.on('upgrade', (_: unknown, socket: Socket) => {
    socket
      .on('error', () => {})
      .write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      )
    socket.pipe(socket)
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  const paths = routerPaths(router.directory)

  const echoes: Echo[] = []
  for (let generation = 0; generation <= 5; generation++) {
    echoes.push(await anEcho(t, router, 'echo.localhost'))
    if (generation === 5) break
    await reload(paths)
    const olds = Math.min(generation + 1, 4)
    await until(`there are ${olds} old workers`, async () => {
      return (await oldWorkers(paths.masterSocket)) === olds
    })
  }
  await until('the oldest is cut', () => !echoes[0]?.isOpen())
  assert.deepEqual(
    echoes.map((it) => it.isOpen()),
    [false, true, true, true, true, true],
  )
  for (const [nth, echo] of echoes.entries()) {
    assert.equal(await echo.say('hello'), nth === 0 ? '' : 'hello')
    echo.close()
  }
  await until('they have ended', async () => (await oldWorkers(paths.masterSocket)) === 0)
})

test('what apps come, go and wish for is no reload once there were as many', async (t) => {
  const router = await aRouter(t, pool)
  for (let n = 0; n < 256; n++) await router.app(`app-${n}`, { web: 0 })
  await router.look()
  await router.start()
  const first = await workerOf(router)
  const last = await router.app('last')
  await router.look()
  const grown = await workerOf(router)
  assert.notEqual(grown, first)

  for (const sticky of [true, false]) {
    await router.wish(last, { sticky })
    await router.look()
    assert.equal(await workerOf(router), grown, `sticky: ${sticky}`)
  }
  await pool.query(
    `update apps set deleted_at = now() - interval '1 hour' where id = $1`,
    [last],
  )
  await router.look()
  assert.equal(await workerOf(router), grown, 'it is destroyed')
  // Somebody comes in its place, and goes: only then is its slot nobody's.
  const another = await router.app('another')
  await router.look()
  await pool.query(`delete from router_slots where app in ($1, $2)`, [last, another])
  await pool.query('update apps set deleted_at = now() where id = $1', [another])
  await router.look()
  assert.equal(await workerOf(router), grown, 'there are as few as before')
})

test('a dyno is known to be busy while the master begins anew', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('busy')
  let finish: (() => void) | undefined
  const slow = await aBackend(t, (_, it) => {
    finish = () => it.end('last')
  })
  const dyno = await router.dyno(app, slow)
  await router.look()
  await router.start()
  const underWay = router.get('busy.localhost')
  await until('it is under way', () => finish !== undefined)

  const paths = routerPaths(router.directory)
  const worker = async () => {
    const answer = await ask(paths.adminSocket, ['show info'])
    return answer.is === 'answered' ? /^Pid: .*$/m.exec(answer.text)?.[0] : undefined
  }
  for (let reloads = 1; reloads <= 3; reloads++) {
    const before = await worker()
    assert.equal(await reload(paths), true)
    while ((await worker()) === before);
    const busy = [...(await busyServers(paths))]
    assert.ok(
      busy.some((it) => it.includes(dyno)),
      `after ${reloads} reloads`,
    )
  }
  finish?.()
  assert.equal((await underWay).body, 'last')
})
