/** A real TLS client, as the CLI is one, and a rendezvous that the test plays. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlainServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'

import { until } from '../../../test/until.ts'
import { frame, framesIn } from '../../lib/frames.ts'
import { silentLog } from '../../lib/log.ts'
import { type OpenDoor, openFrontDoor } from './front-door.ts'
import { relayRendezvous } from './relay-rendezvous.ts'

const directory = mkdtempSync(join(tmpdir(), 'relay-'))
const at = (name: string) => join(directory, name)
const rendezvous = createPlainServer({ allowHalfOpen: true })
let door: OpenDoor

before(async () => {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', at('key'), '-out', at('certificate')]
  const request = ['req', '-x509', ...curve, '-subj', '/CN=localhost', ...files]
  execFileSync('openssl', request, { stdio: 'ignore' })
  door = await openFrontDoor({
    port: 0,
    key: readFileSync(at('key')),
    certificate: readFileSync(at('certificate')),
    http: (_, reply) => reply.end(),
    rendezvous: (socket) => void relayRendezvous(socket, at('tcp.sock'), silentLog),
  })
  rendezvous.listen(at('tcp.sock'))
  await once(rendezvous, 'listening')
})

after(async () => {
  rendezvous.close()
  await door.close()
  rmSync(directory, { recursive: true })
})

test('records stay what they are, both ways', async () => {
  const { client, other } = await joined()
  const records = framesIn(other)
  const heard: string[] = []
  client.on('data', (bytes: Buffer) => heard.push(bytes.toString()))
  for (const text of ['text', '\u0004']) client.write(text)
  assert.equal(String((await records.next()).value), 'secret\r\n')
  assert.equal(String((await records.next()).value), 'text')
  assert.equal(String((await records.next()).value), '\u0004')

  const sent = ['rendezvous\r\n', 'x'.repeat(16_000), '\uFFFF marker', '\n']
  for (const text of sent) other.write(frame(Buffer.from(text)))
  other.end()
  await once(client, 'end')
  assert.deepEqual(heard, sent)
})

test('thirty million bytes come whole, to a client that reads slowly', async () => {
  const { client, other } = await joined()
  const piece = frame(Buffer.alloc(10_000, 'x'))
  for (let sent = 0; sent < 3000; sent++) other.write(piece)
  other.end()
  let bytes = 0
  client.on('data', (got: Buffer) => {
    bytes += got.length
    client.pause()
    setImmediate(() => client.resume())
  })
  await once(client, 'end')
  assert.equal(bytes, 30_000_000)
})

test('each learns that the other is gone', async () => {
  const one = await joined()
  one.client.destroy()
  one.other.resume()
  await once(one.other, 'end')
  one.other.destroy()

  const two = await joined()
  two.client.resume()
  two.other.destroy()
  await once(two.client, 'close')
})

test('a client is told that rendezvous is away', async () => {
  rendezvous.close()
  await until('it is away', () => !rendezvous.listening)
  const client = aClient()
  let text = ''
  for await (const bytes of client) text += String(bytes)
  assert.match(text, /^rendezvous\r\nMayfly's rendezvous is not running/)
})

async function joined(): Promise<{ client: TLSSocket; other: Socket }> {
  const come = once(rendezvous, 'connection') as Promise<[Socket]>
  const client = aClient()
  const [other] = await come
  return { client, other }
}

function aClient(): TLSSocket {
  const client = connect({ port: door.port, rejectUnauthorized: false })
  client.write('secret\r\n')
  return client
}
