/**
 * Whose fault it is that an answer ends early: the dyno's, which fell silent, or the client's, which left. HAProxy 3 ends both
 * alike, whatever the client speaks.
 */

import assert from 'node:assert/strict'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'

import { aBackend, type ARouter, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const SILENT = /^at=error code=H15 desc="Idle connection" .* status=503 /
const LEFT = /^sock=client at=warning code=H27 .* status=499 /

interface Silent {
  readonly router: ARouter
  readonly host: string
}

/** A router with an app whose dyno says half an answer and nothing more, once all of a body has come. */
async function withASilentDyno(
  t: TestContext,
  app: string,
  idle: number,
): Promise<Silent> {
  const timeouts = {
    connect: 5 * SECOND,
    firstByte: 2 * SECOND,
    idle,
    boot: 8 * SECOND,
  }
  const router = await aRouter(t, pool, { timeouts, byTls: true })
  const dyno = await aBackend(t, (request, response) => {
    request.on('error', () => {})
    request.on('end', () => {
      response.writeHead(200, { 'Content-Length': 4 })
      response.write('ha')
    })
    request.resume()
  })
  await router.dyno(await router.app(app), dyno)
  await router.look()
  await router.start()
  return { router, host: `${app}.localhost` }
}

/** `body`: is sent so many `times`, one after the other. */
function asks(
  { router, host }: Silent,
  path: string,
  by: 'http' | 'https',
  body = '',
  times = 2,
): Socket {
  const socket =
    by === 'http'
      ? connect(router.port, '127.0.0.1')
      : connectTls({
          host: 'localhost',
          port: router.tlsPort,
          servername: host,
          rejectUnauthorized: false,
        })
  socket.on('error', () => {}).resume()
  const length = body === '' ? '' : `Content-Length: ${times * body.length}\r\n`
  const method = body === '' ? 'GET' : 'POST'
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n${body}`)
  // What is not whole 50 ms after its head is long.
  for (let nth = 1; nth < times; nth++)
    if (body !== '') setTimeout(() => socket.write(body), nth * 300)
  return socket
}

function byHttp2(t: TestContext, { router, host }: Silent, path: string) {
  const session = connectHttp2(`https://localhost:${router.tlsPort}`, {
    servername: host,
    rejectUnauthorized: false,
  })
  session.on('error', () => {})
  t.after(() => session.destroy())
  const stream = session.request({ ':path': path, ':authority': host })
  stream.on('error', () => {}).resume()
  return { session, stream }
}

test('a dyno that falls silent is at fault, whatever its client speaks', async (t) => {
  const silent = await withASilentDyno(t, 'silent', 3 * SECOND)
  asks(silent, '/http', 'http')
  asks(silent, '/https', 'https')
  asks(silent, '/long', 'http', 'x'.repeat(10_000))
  asks(silent, '/long-by-tls', 'https', 'x'.repeat(10_000))
  byHttp2(t, silent, '/http2')
  for (const path of ['/http', '/https', '/long', '/long-by-tls', '/http2'])
    assert.match(await aRouterLine(silent.router, path), SILENT, path)
})

test('a client that leaves is, however it does', async (t) => {
  const silent = await withASilentDyno(t, 'left', 20 * SECOND)
  const ways: Readonly<Record<string, (it: Socket) => void>> = {
    closes: (it) => it.destroy(),
    'ends-its-half': (it) => it.end(),
    resets: (it) => it.resetAndDestroy(),
  }
  for (const [way, leave] of Object.entries(ways)) {
    const socket = asks(silent, `/${way}`, 'http')
    socket.once('data', () => leave(socket))
    assert.match(await aRouterLine(silent.router, `/${way}`), LEFT, way)
  }
  const byTls = asks(silent, '/by-tls', 'https')
  byTls.once('data', () => byTls.destroy())
  assert.match(await aRouterLine(silent.router, '/by-tls'), LEFT)

  const streams: Readonly<Record<string, (of: ReturnType<typeof byHttp2>) => void>> = {
    cancels: ({ stream }) => stream.close(constants.NGHTTP2_CANCEL),
    'closes-http2': ({ session }) => session.destroy(),
  }
  for (const [way, leave] of Object.entries(streams)) {
    const it = byHttp2(t, silent, `/${way}`)
    it.stream.once('data', () => leave(it))
    assert.match(await aRouterLine(silent.router, `/${way}`), LEFT, way)
  }
})

test('a client that still sends keeps an answer that has begun from being silent', async (t) => {
  const idle = 1.5 * SECOND
  const timeouts = { connect: SECOND, firstByte: SECOND, idle, boot: 2 * SECOND }
  const router = await aRouter(t, pool, { timeouts, byTls: true })
  const dyno = await aBackend(t, (request, response) => {
    response.writeHead(200, { 'Content-Length': 4 })
    response.write('ha')
    request.on('error', () => {}).on('end', () => response.end('lf'))
    request.resume()
  })
  await router.dyno(await router.app('talks'), dyno)
  await router.look()
  await router.start()
  const host = 'talks.localhost'
  const all = (['http', 'https'] as const).map(async (by) => {
    const socket = asks({ router, host }, `/${by}`, by, 'x'.repeat(10_000), 8)
    let got = ''
    socket.setEncoding('latin1').on('data', (text: string) => (got += text))
    assert.match(await aRouterLine(router, `/${by}`), /^at=info .* status=200 /, by)
    assert.match(got, /\r\n\r\nhalf$/, by)
  })
  await Promise.all(all)
})
