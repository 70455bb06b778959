/** `Expect: 100-continue` by HTTP/2, and what else a client may expect. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectByHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'

const pool = aDatabase()

test('a client of HTTP/2 that waits for 100 gets it, told a length or not', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('patient')
  const dyno = await aBackend(t, (request, it) => request.pipe(it))
  await router.dyno(app, dyno)
  const its = await aCertificate(['patient.example.com'])
  await router.domain(app, 'patient.example.com', its)
  await router.look()
  await router.start()
  await router.look()
  const session = connectByHttp2(`https://patient.example.com:${router.tlsPort}`, {
    ca: its.certificate,
    host: '127.0.0.1',
    servername: 'patient.example.com',
  })
  t.after(() => session.destroy())
  for (const length of [{}, { 'content-length': '4' }]) {
    const head = { ':method': 'POST', expect: '100-continue', ...length }
    const stream = session.request(head, { endStream: false })
    await once(stream, 'continue', { signal: AbortSignal.timeout(10_000) })
    stream.end('body')
    let got = ''
    stream.setEncoding('utf8').on('data', (text: string) => (got += text))
    await once(stream, 'end')
    assert.equal(got, 'body', JSON.stringify(length))
  }
})

test('who expects anything else is hung up on', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('expecting')
  const asked: (string | undefined)[] = []
  const dyno = await aBackend(t, ({ url }, it) => {
    asked.push(url)
    it.end()
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  await router.look()
  const client = connect(router.port, '127.0.0.1')
  t.after(() => client.destroy())
  let got = ''
  client.setEncoding('latin1').on('data', (text: string) => (got += text))
  const host = 'host: expecting.localhost\r\n'
  client.write(
    `POST /first HTTP/1.1\r\n${host}expect: foo\r\ncontent-length: 4\r\n\r\nbody` +
      `GET /second HTTP/1.1\r\n${host}\r\n`,
  )
  await until('it is hung up on', () => client.readableEnded)
  assert.match(got, /^HTTP\/1\.1 417 [^]*\r\nconnection: close\r\n/i)
  assert.deepEqual(asked, [])
})
