/**
 * An answer that its dyno does not bring to its end, as a client of HTTP/2 sees it: with a length it knows of it by that. Without one
 * HAProxy 2.6 ends the stream as if all had come, once it has begun; 3.0 resets it. The log tells of it either way.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'

import { aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { HAPROXY_3 } from '../../test/haproxy-of-here.ts'
import { aDatabase } from '../../test/postgres.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const quick = {
  connect: SECOND,
  firstByte: 0.5 * SECOND,
  idle: SECOND,
  boot: 2 * SECOND,
}

const CHUNKS = 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'
const KNOWN = 'Content-Length: 8\r\n\r\nhalf'

const H15 = /^at=error code=H15 /
const H18 = /^sock=backend at=error code=H18 /

/** How an answer begins, what its dyno does once the client has got that, the line, and whether it is seen to be cut. */
const cuts: Readonly<
  Record<string, readonly [string, (it: Socket) => void, RegExp, boolean]>
> = {
  '/ends': [CHUNKS, (it) => it.end(), H18, HAPROXY_3],
  '/resets': [CHUNKS, (it) => it.resetAndDestroy(), H18, HAPROXY_3],
  '/breaks-a-chunk': [CHUNKS, (it) => it.write('zz\r\n'), H18, HAPROXY_3],
  '/falls-silent': [CHUNKS, () => {}, H15, HAPROXY_3],
  '/ends-before-its-length': [KNOWN, (it) => it.end(), H18, true],
  '/falls-silent-before-its-length': [KNOWN, () => {}, H15, true],
}

test('an answer that is cut is told of, and seen where HAProxy can show it', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick, byTls: true })
  const asked = new Map<string, Socket>()
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', (text) => {
        const path = String(text).split(' ')[1] ?? ''
        asked.set(path, socket)
        socket.write(`HTTP/1.1 200 OK\r\n${cuts[path]?.[0]}`)
      })
  })
  const address = `127.4.${1 + (process.pid % 200)}.1`
  await once(server.listen(0, address), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  await router.dyno(await router.app('cuts'), { address, port })
  await router.look()
  await router.start()

  const session = connectHttp2(`https://localhost:${router.tlsPort}`, {
    servername: 'cuts.localhost',
    rejectUnauthorized: false,
  })
  const all = Object.entries(cuts).map(async ([path, [, cut, line, isSeen]]) => {
    const stream = session.request({ ':path': path, ':authority': 'cuts.localhost' })
    let got = ''
    stream.setEncoding('latin1').on('error', () => {})
    stream.on('data', (text: string) => (got += text))
    stream.once('data', () => {
      const dyno = asked.get(path)
      if (dyno) cut(dyno)
    })
    await new Promise((resolve) => stream.once('close', resolve))
    assert.equal(got, 'half', path)
    assert.equal(stream.rstCode !== constants.NGHTTP2_NO_ERROR, isSeen, path)
    assert.match(await aRouterLine(router, path), line, path)
  })
  // The router, which ends when the test has, would else cut it.
  await Promise.all(all).finally(() => session.destroy())
})
