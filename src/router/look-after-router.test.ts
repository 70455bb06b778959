import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { aBackend, aRouter, type ARouter, get, type Got } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { underLoad } from '../../test/under-load.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const quick = { connect: 5000, firstByte: 500, idle: 2000, boot: 2 * SECOND }

/** Each asker of `underLoad` takes one of eight connections and keeps it. */
function keeping(t: TestContext, router: ARouter, host: string): () => Promise<Got> {
  const agents = Array.from(
    { length: 8 },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  )
  t.after(() => agents.forEach((agent) => agent.destroy()))
  let next = 0
  return () => get(router.port, '/', { host }, agents[next++ % agents.length])
}

test('a request reaches an up dyno of the right app, and no other', async (t) => {
  const router = await aRouter(t, pool)
  const [one, two] = [await router.app('one'), await router.app('two')]
  const dyno = await router.dyno(one, await aBackend(t, (_, it) => it.end('one')))
  await router.dyno(two, await aBackend(t, (_, it) => it.end('two')))
  await router.look()
  assert.equal(await router.isRouted(dyno), true, 'from the first HAProxy on')

  await router.start()
  assert.equal((await router.get('one.localhost')).body, 'one')
  assert.equal((await router.get('TWO.localhost:8080')).body, 'two')
  const woken = await pool.query(`select true from work where kind = 'formation'`)
  assert.equal(woken.rows.length, 2)
})

test('HAProxy started anew serves the same, with no manager', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('again')
  await router.look()
  await router.start()
  await router.dyno(app, await aBackend(t, (_, it) => it.end('here')))
  await router.look()
  await router.kill()

  await router.start()
  assert.equal((await router.get('again.localhost')).body, 'here')
  execFileSync('haproxy', ['-c', '-q', '-f', join(router.directory, 'haproxy.cfg')])
})

test('a dyno added at run time keeps its connections from HAProxy', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('warm')
  await router.look()
  await router.start()
  const ports = new Set<number | undefined>()
  const backend = await aBackend(t, (request, it) => {
    ports.add(request.socket.remotePort)
    it.end('ok')
  })
  await router.dyno(app, backend)
  await router.look()

  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (let request = 0; request < 10; request++) {
    await get(router.port, '/', { host: 'warm.localhost' }, agent)
  }
  assert.equal(ports.size, 1, `${ports.size} connections for ten requests`)
})

test('dynos come and go without a failed request', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('busy')
  await router.look()
  await router.start()
  let current = await router.dyno(app, await aBackend(t, (_, it) => it.end('ok')))
  await router.look()

  const load = underLoad(t, 16, () => router.get('busy.localhost'))
  for (let round = 0; round < 20; round++) {
    const backend = await aBackend(t, (_, it) => it.end('ok'))
    const next = await router.dyno(app, backend)
    await router.look()
    await router.become(current, 'stopping')
    const leaving = current
    await until('it has left', async () => {
      await router.look()
      return !(await router.isRouted(leaving))
    })
    await router.become(leaving, 'down')
    current = next
  }
  await until('enough was sent', () => load.sent() > 2000)
  assert.deepEqual(await load.stop(), [])
})

test('every state of an app has its page and its line', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const other = await aRouter(t, pool)
  await router.app('none', { web: 0 })
  await router.app('blank', { deployed: false })
  await other.app('far-away')
  const maintained = await router.app('maintained')
  await pool.query('update apps set maintenance = true where id = $1', [maintained])
  await router.dyno(maintained, await aBackend(t, (_, it) => it.end('no')))
  const crashed = await router.app('crashed')
  await router.dyno(crashed, { address: '127.0.0.8', port: 5000 }, 'crashed')
  const silent = await router.app('silent')
  await router.dyno(silent, await aBackend(t, () => {}))
  const rude = await router.app('rude')
  await router.dyno(rude, await aBackend(t, (it) => it.socket.destroy()))
  const starting = await router.app('starting')
  await router.dyno(starting, { address: '127.0.0.9', port: 5001 }, 'starting')
  await router.look()
  await router.start()

  const expected: Record<string, [number, string]> = {
    none: [503, 'at=error code=H14 desc="No web processes running"'],
    blank: [502, 'at=info code=H81 desc="Blank app"'],
    'far-away': [421, 'at=error code=H31 desc="Misdirected Request"'],
    maintained: [503, 'at=info code=H80 desc="Maintenance mode"'],
    crashed: [503, 'at=error code=H10 desc="App crashed"'],
    silent: [503, 'at=error code=H12 desc="Request timeout"'],
    rude: [503, 'at=error code=H13 desc="Connection closed without response"'],
    starting: [503, 'at=error code=H20 desc="App boot timeout"'],
  }
  await Promise.all(
    Object.entries(expected).map(async ([app, [status, start]]) => {
      const got = await router.get(`${app}.localhost`, `/${app}`)
      assert.equal(got.status, status, app)
      assert.match(got.body, /<html lang="en">/)
      assert.match(await aRouterLine(router, `/${app}`), new RegExp(`^${start}`))
    }),
  )
  const elsewhere = await router.get('far-away.localhost')
  assert.ok(elsewhere.body.includes(`http://far-away.localhost:${other.port}/`))
  assert.equal((await router.get('unknown.localhost')).status, 404)
})

test('a websocket goes through, and its end is no fault', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('socket')
  const backend = await aBackend(t, () => {})
  backend.server.on('upgrade', (_: unknown, socket: Socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    )
    socket.pipe(socket)
  })
  await router.dyno(app, backend)
  await router.look()
  await router.start()
  const client = connect(router.port, '127.0.0.1')
  let heard = ''
  client.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk))
  client.write(
    'GET /ws HTTP/1.1\r\nHost: socket.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await until('it is upgraded', () => heard.includes('101 Switching'))
  client.write('echo!')
  await until('it echoes', () => heard.endsWith('echo!'))
  client.end()
  assert.match(
    await aRouterLine(router, '/ws'),
    /^at=info method=GET .* dyno=web.1 .* status=101/,
  )
})

test('headers are what a dyno of Heroku gets', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('headers')
  const backend = await aBackend(t, (request, it) => {
    it.setHeader('keep-alive', 'timeout=5')
    it.end(JSON.stringify(request.headers))
  })
  await router.dyno(app, backend)
  await router.look()
  await router.start()
  const sent = async (headers: Record<string, string>) => {
    const { body } = await router.get('headers.localhost:80', '/', headers)
    return JSON.parse(body) as Record<string, string>
  }

  const plain = await sent({})
  assert.match(plain['x-request-id'] ?? '', /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  assert.equal(plain['x-forwarded-for'], '127.0.0.1')
  assert.equal(plain['x-forwarded-proto'], 'http')
  assert.equal(plain['x-forwarded-port'], `${router.port}`)
  assert.match(plain['x-request-start'] ?? '', /^\d{13}$/)
  assert.equal(plain['via'], '1.1 heroku-router')
  assert.equal(plain['host'], 'headers.localhost:80')

  const rich = await sent({
    'x-request-id': 'abcdefghij+/=-0123456789',
    'x-forwarded-for': '10.0.0.1, 10.0.0.2',
    'x-forwarded-proto': 'https',
    via: '1.0 proxy',
    te: 'trailers',
    'proxy-authorization': 'secret',
  })
  assert.equal(rich['x-request-id'], 'abcdefghij+/=-0123456789')
  assert.equal(rich['x-forwarded-for'], '10.0.0.1, 10.0.0.2, 127.0.0.1')
  assert.equal(rich['x-forwarded-proto'], 'http')
  assert.equal(rich['via'], '1.0 proxy, 1.1 heroku-router')
  assert.equal(rich['te'], undefined)
  assert.equal(rich['proxy-authorization'], undefined)
  for (const bad of ['short', 'with spaces in it, and long enough', 'x'.repeat(201)]) {
    assert.notEqual((await sent({ 'x-request-id': bad }))['x-request-id'], bad)
  }

  const { headers } = await router.get('headers.localhost')
  assert.equal(headers['server'], 'Heroku')
  assert.equal(headers['via'], '1.1 heroku-router')
  assert.equal(headers['keep-alive'], undefined)
})

test('HAProxy loads more backends under load, and no request is lost', async (t) => {
  const router = await aRouter(t, pool)
  const first = await router.app('first')
  await router.dyno(first, await aBackend(t, (_, it) => it.end('first')))
  const booting = await router.app('booting-on')
  const backend = await aBackend(t, (_, it) => it.end('awake'))
  const awaited = await router.dyno(booting, backend, 'starting')
  await router.look()
  await router.start()
  const own = underLoad(t, 8, () => router.get('first.localhost'))
  const kept = underLoad(t, 8, keeping(t, router, 'first.localhost'))
  const held = router.get('booting-on.localhost')
  await until('all of them send', () => own.sent() > 100 && kept.sent() > 100)

  for (let n = 0; n < 256; n++) await router.app(`app-${n}`, { web: 0 })
  const last = await router.app('last')
  const dyno = await router.dyno(last, await aBackend(t, (_, it) => it.end('last')))
  await router.look()
  assert.equal((await router.get('last.localhost')).body, 'last')
  assert.equal(await router.isRouted(dyno), true)
  await router.become(awaited, 'up')
  await router.look()
  assert.equal((await held).body, 'awake')

  const [ownSent, keptSent] = [own.sent(), kept.sent()]
  await until(
    'all of them sent more',
    () => own.sent() > ownSent + 500 && kept.sent() > keptSent + 500,
  )
  assert.deepEqual([...(await own.stop()), ...(await kept.stop())], [])
})

test('a dyno is recorded as routed before a request can reach it', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('announced')
  await router.look()
  await router.start()
  const seen: boolean[] = []
  const backend = await aBackend(t, (_, it) => {
    void note().finally(() => it.end('ok'))
  })
  const load = underLoad(t, 4, () => router.get('announced.localhost'))
  const dyno = await router.dyno(app, backend)
  const note = async () => seen.push(await router.isRouted(dyno))
  await router.look()
  await until('some reached it', () => seen.length > 10)
  assert.deepEqual(await load.stop(), [])
  assert.ok(seen.every((routed) => routed))
})

test('a dyno that began to stop unseen is neither recorded nor served', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('unseen')
  const dyno = await router.dyno(app, await aBackend(t, (_, it) => it.end('no')))
  await pool.query(
    `create function overtake() returns trigger language plpgsql as $$
       begin return case when new.routed and new.id = tg_argv[0]::uuid then null else new end; end $$`,
  )
  await pool.query(
    `create trigger overtake before update on dynos for each row execute function overtake('${dyno}')`,
  )
  t.after(() => pool.query('drop function overtake cascade'))
  await router.look()
  const config = await readFile(join(router.directory, 'haproxy.cfg'), 'utf8')
  assert.equal(config.includes(dyno), false)
})
