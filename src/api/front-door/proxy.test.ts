/** A backend that comes, goes and dies, behind a real server, over real sockets. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import {
  Agent,
  createServer,
  request,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'

import { until } from '../../../test/until.ts'
import { silentLog } from '../../lib/log.ts'
import { proxy } from './proxy.ts'

const directory = mkdtempSync(join(tmpdir(), 'proxy-'))
const socketPath = join(directory, 'http.sock')
let arrived = 0
let backend: Server | undefined

const door = createServer((incoming, reply) => {
  arrived += 1
  const resumable = incoming.url?.startsWith('/sessions/') ?? false
  const patience = incoming.url === '/impatient' ? 0 : 20_000
  const name = 'git'
  const to = { client: '203.0.113.7', name, socketPath, resumable, patience }
  void proxy(incoming, reply, to, silentLog)
})

before(async () => {
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
})

afterEach(() => {
  backend?.close()
  backend?.closeAllConnections()
  arrived = 0
})

after(() => {
  door.close()
  rmSync(directory, { recursive: true })
})

for (const [method, body] of [
  ['GET', undefined],
  ['POST', 'a'.repeat(200_000)],
] as const) {
  test(`a ${method} waits for a backend that is away, its body unread`, async () => {
    const answer = ask(method, '/my-app.git/info/refs', body)
    await until('the request is at the door', () => arrived === 1)
    await listen((incoming, reply) => {
      let bytes = 0
      incoming.on('data', (piece: Buffer) => (bytes += piece.length))
      incoming.on('end', () => reply.end(String(bytes)))
    })
    assert.deepEqual(await answer, { status: 200, text: String(body?.length ?? 0) })
  })
}

test('a backend is told the client by us, whatever the client says', async () => {
  await listen((incoming, reply) => reply.end(incoming.headers['x-forwarded-for']))
  const url = `http://127.0.0.1:${portOf(door)}/my-app.git/info/refs`
  const answer = await fetch(url, { headers: { 'x-forwarded-for': '192.0.2.1' } })
  assert.equal(await answer.text(), '203.0.113.7')
})

test('a backend that stays away is answered for', async () => {
  const { status, text } = await ask('GET', '/impatient')
  assert.equal(status, 503)
  assert.match(text, /^git is not running at the moment/)
})

test('a client that stops waiting for a backend is not asked for any more', async () => {
  const come = once(door, 'connection') as Promise<[Socket]>
  const asked = request({ port: portOf(door), path: '/my-app.git/info/refs' })
  asked.on('error', () => {})
  asked.end()
  await until('the request is at the door', () => arrived === 1)
  const [connection] = await come
  const left = once(connection, 'close')
  asked.destroy()
  await left
  const seen: (string | undefined)[] = []
  await listen((incoming, reply) => {
    seen.push(incoming.url)
    reply.end()
  })
  await ask('GET', '/another')
  assert.deepEqual(seen, ['/another'])
})

test('what only asks is asked again of a backend that died over it', async () => {
  let asked = 0
  await listen((incoming, reply) => {
    asked += 1
    if (asked === 1) incoming.socket.destroy()
    else reply.end('here')
  })
  assert.deepEqual(await ask('GET', '/my-app.git/info/refs'), {
    status: 200,
    text: 'here',
  })
})

test('what may have changed something is not asked twice', async () => {
  let asked = 0
  await listen((incoming) => {
    asked += 1
    incoming.socket.destroy()
  })
  assert.equal((await ask('POST', '/my-app.git/git-receive-pack', 'x')).status, 503)
  assert.equal(asked, 1)
})

test('a log session ends in good order when its backend dies, other answers do not', async () => {
  await listen((incoming, reply) => {
    reply.write('one line\n', () => incoming.socket.destroy())
  })
  assert.deepEqual(await ask('GET', '/sessions/1'), { status: 200, text: 'one line\n' })
  await assert.rejects(ask('GET', '/my-app.git/info/refs'), { code: 'ECONNRESET' })
})

test('an answer instead of the rest of a body is heard, and the connection goes on', async (t) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const heard = Promise.withResolvers<void>()
  const connections = new Set<unknown>()
  door.on('connection', (it) => connections.add(it))
  await listen((incoming, reply) => {
    if (incoming.method === 'GET') return void reply.end('here')
    // It reads no further, and is gone once the door has heard it.
    incoming.once('data', () => incoming.pause())
    reply.writeHead(413).end('enough')
    void heard.promise.then(() => incoming.socket.destroy())
  })
  const body = 'a'.repeat(20 * 1024 ** 2)
  const answer = await ask('POST', '/apps', body, agent)
  heard.resolve()
  assert.deepEqual(answer, { status: 413, text: 'enough' })
  assert.deepEqual(await ask('GET', '/apps', undefined, agent), {
    status: 200,
    text: 'here',
  })
  assert.equal(connections.size, 1)
})

async function listen(listener: RequestListener): Promise<void> {
  rmSync(socketPath, { force: true })
  backend = createServer(listener)
  backend.listen(socketPath)
  await once(backend, 'listening')
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function ask(
  method: string,
  path: string,
  body?: string,
  agent: Agent | false = false,
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: portOf(door), method, path, agent })
    asked.once('error', reject)
    asked.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => (text += piece))
      answer.once('end', () => resolve({ status: answer.statusCode, text }))
      answer.once('error', reject)
    })
    asked.end(body)
  })
}
