import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import {
  createServer,
  request,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect as secureConnect } from 'node:tls'

import { until } from '../../../test/until.ts'
import { pause } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { backendOf } from './backend-of.ts'
import { type OpenDoor, openFrontDoor } from './front-door.ts'
import { proxy } from './proxy.ts'

const directory = mkdtempSync(join(tmpdir(), 'front-door-'))
const at = (name: string) => join(directory, name)
/** Says who answered, what was asked, and how much came with it. */
const echo =
  (name: string): RequestListener =>
  (incoming, reply) => {
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length))
    incoming.on('end', () =>
      reply.end([name, incoming.method, incoming.url, bytes].join(' ')),
    )
  }
const git = createServer(echo('git'))
let door: OpenDoor

before(async () => {
  const [key, certificate] = [at('key'), at('certificate')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=localhost', '-days', '1']
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', certificate],
    { stdio: 'ignore' },
  )
  await new Promise<void>((resolve) => git.listen(at('git.sock'), resolve))
  door = await openFrontDoor({
    port: 0,
    key: readFileSync(key),
    certificate: readFileSync(certificate),
    http: (incoming, reply) => {
      const part = backendOf(incoming.url ?? '')
      if (!part) return echo('api')(incoming, reply)
      const backend = {
        client: '',
        name: part,
        socketPath: at(`${part}.sock`),
        patience: 0,
      }
      void proxy(incoming, reply, backend, silentLog)
    },
    rendezvous: (socket) => socket.end('rendezvous'),
  })
})

after(async () => {
  await door.close()
  git.close()
  rmSync(directory, { recursive: true })
})

for (const scheme of ['http', 'https'] as const) {
  test(`${scheme} reaches the API, git by its path, and says so where a part is away`, async () => {
    assert.deepEqual(await ask(scheme, 'GET', '/apps'), [200, 'api GET /apps 0'])
    const large = Buffer.alloc(3 * 1024 ** 2)
    assert.deepEqual(await ask(scheme, 'POST', '/apps', large), [
      200,
      `api POST /apps ${large.length}`,
    ])
    assert.deepEqual(await ask(scheme, 'POST', '/my-app.git/git-receive-pack', large), [
      200,
      `git POST /my-app.git/git-receive-pack ${large.length}`,
    ])
    const [status, words] = await ask(scheme, 'GET', '/sessions/1')
    assert.equal(status, 503)
    assert.match(words, /^logs is not running/)
  })
}

test('a request that comes byte by byte is a request', async () => {
  const socket = connect(door.port, '127.0.0.1')
  for (const byte of 'GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') {
    await new Promise((resolve) => socket.write(byte, resolve))
  }
  const answer = await textOf(socket)
  assert.match(answer, /api GET \/slow 0/)
})

test('what is no HTTP inside TLS is a rendezvous', async () => {
  const socket = secureConnect({ port: door.port, rejectUnauthorized: false })
  socket.write('3f0c9e secret\n')
  assert.equal(await textOf(socket), 'rendezvous')
})

test('there are so many connections, and one more when one goes', async () => {
  const small = await aDoor((_incoming, reply) => reply.end('served'), {
    mostConnections: 2,
  })
  const held = [1, 2].map(() => connect(small.port, '127.0.0.1'))
  for (const socket of held) await once(socket, 'connect')
  const url = `http://127.0.0.1:${small.port}/`
  await assert.rejects(fetch(url))
  held[0]?.destroy()
  await until('there is room', async () =>
    fetch(url, { headers: { connection: 'close' } }).then(
      (answer) => answer.ok,
      () => false,
    ),
  )
  held[1]?.destroy()
  await small.close()
})

test('requests of a connection are answered one after another', async () => {
  const asked: string[] = []
  const replies: ServerResponse[] = []
  const its = await aDoor((incoming, reply) => {
    asked.push(incoming.url ?? '')
    replies.push(reply)
  })
  const socket = connect(its.port, '127.0.0.1')
  const text = textOf(socket)
  socket.write(['/1', '/2', '/3'].map(get).join(''))
  await until('the first is asked', () => asked.length > 0)
  // A connection of its own is not held up, and by its answer all that came before is asked.
  const other = fetch(`http://127.0.0.1:${its.port}/other`)
  await until('the other is asked', () => asked.includes('/other'))
  assert.deepEqual(asked, ['/1', '/other'])
  replies[1]?.end()
  await other
  for (const [index, path] of ['/1', '/2', '/3'].entries()) {
    await until(`${path} is asked`, () => asked.includes(path))
    assert.equal(asked.length, index + 2)
    replies.at(index === 0 ? 0 : -1)?.end(`answer to ${path}`)
  }
  socket.end()
  const answers = (await text).match(/answer to \/./g)
  assert.deepEqual(answers, ['answer to /1', 'answer to /2', 'answer to /3'])
  await its.close()
})

test('who sends very many requests before they are answered is hung up on', async () => {
  let asked = 0
  const its = await aDoor(() => (asked += 1))
  const socket = connect(its.port, '127.0.0.1').on('error', () => {})
  socket.write(get('/').repeat(1000))
  await once(socket, 'close')
  assert.equal(asked, 1)
  await its.close()
})

for (const scheme of ['http', 'https'] as const) {
  test(`who takes nothing of their answer is hung up on, who waits for one or reads a log is not: ${scheme}`, async () => {
    const ends: string[] = []
    const its = await aDoor(
      (incoming, reply) => {
        const url = incoming.url ?? ''
        reply.once('close', () => ends.push(url))
        reply.writeHead(200)
        reply.flushHeaders()
        if (url === '/much' || url === LOG) reply.end(Buffer.alloc(30 * 1024 ** 2))
        else if (url === '/slow') void trickle(reply)
      },
      { patience: 200 },
    )
    const open = () =>
      scheme === 'http'
        ? connect(its.port, '127.0.0.1')
        : secureConnect({ port: its.port, rejectUnauthorized: false })
    const sockets = [LOG, '/much', '/nothing', '/slow'].map((path) => {
      const socket = open().on('error', () => {})
      socket.write(get(path))
      if (path === '/slow') socket.resume()
      return socket
    })
    await until('it is hung up on', () => ends.includes('/much'))
    await until('the trickle has ended', () => ends.includes('/slow'))
    assert.ok(!ends.includes('/nothing'))
    assert.ok(!ends.includes(LOG))
    for (const socket of sockets) socket.destroy()
    await its.close()
  })
}

test('paths are told apart', () => {
  assert.equal(backendOf('/my-app.git/info/refs?service=git-receive-pack'), 'git')
  assert.equal(backendOf('/sessions/0123?srv=1'), 'logs')
  assert.equal(backendOf('/apps/my-app.git'), undefined)
  assert.equal(backendOf('/sessions/'), undefined)
})

const LOG = '/sessions/0123?srv=1'

/** Of which each piece is taken, for longer than anybody's patience. */
async function trickle(reply: ServerResponse): Promise<void> {
  for (let piece = 0; piece < 30; piece += 1) {
    reply.write('x')
    await pause(20)
  }
  reply.end()
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
}

function aDoor(
  http: RequestListener,
  more: { readonly mostConnections?: number; readonly patience?: number } = {},
): Promise<OpenDoor> {
  return openFrontDoor({
    port: 0,
    key: readFileSync(at('key')),
    certificate: readFileSync(at('certificate')),
    http,
    rendezvous: (socket) => socket.end(),
    ...more,
  })
}

function ask(
  scheme: 'http' | 'https',
  method: string,
  path: string,
  body?: Buffer,
): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const send = scheme === 'http' ? request : secureRequest
    const options = { host: '127.0.0.1', port: door.port, method, path, agent: false }
    const asked = send({ ...options, rejectUnauthorized: false }, (answer) => {
      textOf(answer).then((text) => resolve([answer.statusCode, text]), reject)
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
