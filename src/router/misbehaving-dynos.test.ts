/** Each way in which a dyno or a client can fail a request: its H code, and what the client gets. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aFullPort } from '../../test/a-full-port.ts'
import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const quick = { connect: 300, firstByte: 500, idle: 2000, boot: 2 * SECOND }

interface Place {
  readonly address: string
  readonly port: number
}

let places = 0
const nextAddress = () => `127.3.${1 + (process.pid % 200)}.${++places}`

/** A dyno that does with each connection what it is told, once the request's head is there. */
async function aRudeDyno(
  t: TestContext,
  answer: (socket: Socket) => void,
): Promise<Place & { close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  const address = nextAddress()
  server.listen(0, address)
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.after(close)
  return { address, port: (server.address() as AddressInfo).port, close }
}

const OK = 'HTTP/1.1 200 OK\r\n'

const TO_PATIENT = 'HTTP/1.1\r\nHost: patient.localhost\r\n'

/** More than anyone waits for. */
function goOn(it: Socket): void {
  it.write(`${OK}Content-Length: 1000000000\r\n\r\n`)
  const more = setInterval(() => it.write('x'.repeat(1_000_000)), 1)
  it.on('close', () => clearInterval(more))
}

function sayNothing(it: Socket): void {
  it.end(`${OK}Content-Length: 0\r\n\r\n`)
}

/** Name, what the dyno does, also once the client has got something, what that gets, the line. */
const dynos: [
  string,
  (socket: Socket, clientGot: Promise<void>) => void,
  RegExp,
  RegExp,
][] = [
  [
    'closes at once',
    (it) => it.destroy(),
    /^HTTP\/1.1 503 [^]*Application error/,
    /^at=error code=H13 desc="Connection closed without response" .* dyno=web\.1 connect=\d+ms service=\d+ms status=503/,
  ],
  [
    'says nothing',
    () => {},
    /^HTTP\/1.1 503 [^]*\(H12\)/,
    /^at=error code=H12 desc="Request timeout" .* dyno=web\.1 connect=\d+ms service=\d+ms status=503/,
  ],
  [
    'speaks no HTTP',
    (it) => it.end('hello\r\n\r\n'),
    /^HTTP\/1.1 503 [^]*Application error/,
    /^at=error code=H17 desc="Poorly formatted HTTP response" .* status=503/,
  ],
  [
    'says how long it is, twice and differently',
    (it) => it.end(`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`),
    /^HTTP\/1.1 503 [^]*Application error/,
    /^at=error code=H17 .* status=503/,
  ],
  [
    'breaks off',
    (it, clientGot) => {
      it.write(`${OK}Content-Length: 100\r\n\r\nhalf`)
      void clientGot.then(() => it.destroy())
    },
    /^HTTP\/1.1 200 [^]*\r\n\r\nhalf$/,
    /^sock=backend at=error code=H18 desc="Server Request Interrupted" .* status=503/,
  ],
  [
    'sends a broken chunk',
    (it, clientGot) => {
      it.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`)
      void clientGot.then(() => it.write('xyz\r\n'))
    },
    /^HTTP\/1.1 200 /,
    /^sock=backend at=error code=H18 /,
  ],
  [
    'falls silent halfway',
    (it) => it.write(`${OK}Content-Length: 100\r\n\r\nhalf`),
    /^HTTP\/1.1 200 [^]*\r\n\r\nhalf$/,
    /^at=error code=H15 desc="Idle connection" .* status=503/,
  ],
]

test('a dyno that fails a request gets the code of how it did', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const heard = dynos.map(() => Promise.withResolvers<void>())
  for (const [index, [, answer]] of dynos.entries()) {
    const app = await router.app(`rude-${index}`)
    const clientGot = heard[index]?.promise ?? Promise.resolve()
    await router.dyno(app, await aRudeDyno(t, (socket) => answer(socket, clientGot)))
  }
  await router.look()
  await router.start()
  await Promise.all(
    dynos.map(async ([what, , got, line], index) => {
      const path = `/rude-${index}`
      const head = `GET ${path} HTTP/1.1\r\nHost: rude-${index}.localhost\r\nConnection: close\r\n\r\n`
      const listen = (client: Socket) =>
        client.once('data', () => heard[index]?.resolve())
      assert.match(await whatAClientGets(router, head, listen), got, what)
      assert.match(await aRouterLine(router, path), line, what)
    }),
  )
})

test('a dyno that says nothing to a request with a body is waited for no longer', async (t) => {
  const router = await aRouter(t, pool, { timeouts: { ...quick, idle: 60_000 } })
  const app = await router.app('mute')
  await router.dyno(app, await aRudeDyno(t, () => {}))
  await router.look()
  await router.start()
  const bodies = [
    'Content-Length: 4\r\n\r\nbody',
    'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]
  for (const [index, body] of bodies.entries()) {
    const head = `POST /mute-${index} HTTP/1.1\r\nHost: mute.localhost\r\nConnection: close\r\n`
    assert.match(await whatAClientGets(router, `${head}${body}`), /^HTTP\/1.1 503 /)
    assert.match(
      await aRouterLine(router, `/mute-${index}`),
      /^at=error code=H12 .* status=503/,
    )
  }
})

test('an answer to a short body may be silent as long as any other', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const app = await router.app('thoughtful')
  const dyno = await aRudeDyno(t, (it) => {
    it.write(`${OK}Content-Length: 8\r\n\r\nhalf`)
    setTimeout(() => it.write('half'), 2 * quick.firstByte)
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  const head =
    'POST / HTTP/1.1\r\nHost: thoughtful.localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\n'
  // Not late: HAProxy 2.6 has one clock for a body that is not there as a whole within 50 ms.
  const got = await whatAClientGets(router, `${head}bo`, (it) =>
    setImmediate(() => it.write('dy')),
  )
  assert.match(got, /\r\n\r\nhalfhalf$/)
})

test('a client that fails its own request gets the code of how it did', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const app = await router.app('patient')
  await router.dyno(app, await aRudeDyno(t, goOn))
  await router.look()
  await router.start()

  await whatAClientGets(
    router,
    `POST /left ${TO_PATIENT}Content-Length: 100\r\n\r\nhalf`,
    (it) => setTimeout(() => it.destroy(), 100),
  )
  assert.match(
    await aRouterLine(router, '/left'),
    /^sock=client at=warning code=H27 desc="Client Request Interrupted" .* status=499/,
  )
  const silent = whatAClientGets(router, `POST /silent ${TO_PATIENT}\r\n`, (it) =>
    it.pause(),
  )
  assert.match(
    await aRouterLine(router, '/silent'),
    /^at=warning code=H28 desc="Client Connection Idle" .* status=499/,
  )
  void silent
})

test('a dyno that is at work for a client that left hears of it', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('at-work')
  const left = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const dyno = await aRudeDyno(t, (it) => {
    it.on('close', () => left.resolve())
    asked.resolve()
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  const client = connect(router.port, '127.0.0.1')
  client.write('GET /at-work HTTP/1.1\r\nHost: at-work.localhost\r\n\r\n')
  await asked.promise
  client.destroy()
  await left.promise
  assert.match(
    await aRouterLine(router, '/at-work'),
    /^sock=client at=warning code=H27 .* dyno=web\.1 .* status=499/,
  )
})

test('who cannot be reached is left alone, and others are tried', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const [dead, full, mixed] = [
    await router.app('dead'),
    await router.app('full'),
    await router.app('mixed'),
  ]
  const gone = await aRudeDyno(t, sayNothing)
  await router.dyno(dead, gone)
  await router.dyno(full, await aFullPort(t, nextAddress()))
  const dying = await aRudeDyno(t, sayNothing)
  await router.dyno(mixed, dying)
  await router.dyno(mixed, await aBackend(t, (_, it) => it.end('alive')))
  await router.look()
  await router.start()

  assert.equal((await router.get('dead.localhost')).status, 200)
  gone.close()
  assert.equal((await router.get('dead.localhost', '/refused')).status, 503)
  assert.match(await aRouterLine(router, '/refused'), /^at=error code=H21 .* status=503/)
  assert.equal((await router.get('full.localhost', '/untaken')).status, 503)
  assert.match(
    await aRouterLine(router, '/untaken'),
    /^at=error code=H19 desc="Backend connection timeout" .* service= status=503/,
  )
  const asked = performance.now()
  const quarantined = await router.get('dead.localhost', '/quarantined')
  assert.ok(performance.now() - asked >= quick.boot - 20, 'it is held for as long')
  assert.match(quarantined.body, /\(H34\)/)
  assert.match(
    await aRouterLine(router, '/quarantined'),
    /^at=error code=H34 desc="All up dynos are quarantined" method=GET path="\/quarantined" host=dead\.localhost request_id=[-0-9a-f]{36} fwd="127\.0\.0\.1" dyno= connect= service= status=503 bytes= protocol=http1\.1 tls=false$/,
  )

  dying.close()
  for (let i = 0; i < 30; i++) {
    assert.equal((await router.get('mixed.localhost')).body, 'alive')
  }
})

test('a dyno that can be reached again gets requests again', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('back')
  const dyno = await aRudeDyno(t, () => {})
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  dyno.close()
  assert.equal((await router.get('back.localhost', '/refused')).status, 503)

  const held = router.get('back.localhost')
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .on('data', () => socket.end(`${OK}Content-Length: 4\r\n\r\nback`)),
  )
  server.listen(dyno.port, dyno.address)
  t.after(() => server.close())
  assert.match((await held).body, /^back$/, router.records.join('\n'))
})
