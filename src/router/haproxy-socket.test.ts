import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { ask, linesOf } from './haproxy-socket.ts'

async function aSocket(
  t: TestContext,
  answer: (line: string, socket: Socket) => void,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-socket-'))
  const path = join(directory, 'admin.sock')
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    let line = ''
    socket.setEncoding('utf8').on('error', () => {})
    socket.on('data', (chunk: string) => {
      line += chunk
      if (line.endsWith('\n')) answer(line, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  })
  return path
}

test('the answers to all lines are one text', async (t) => {
  const path = await aSocket(t, (line, socket) => socket.end(`<${line.length}>`))
  const command = 'x'.repeat(5000)
  const answer = await ask(path, [command, command, command])
  assert.deepEqual(answer, { is: 'answered', text: '<10002><5001>' })
})

test('commands share lines that fit the buffer of HAProxy', () => {
  assert.deepEqual(linesOf(['a', 'b']), ['a;b'])
  assert.deepEqual(linesOf([]), [])
  const long = 'x'.repeat(11_999)
  assert.deepEqual(linesOf([long, 'b', 'c']), [long, 'b;c'])
})

test('a refusal is an answer like any other', async (t) => {
  const path = await aSocket(t, (_, socket) => socket.end('No such server.\n'))
  assert.deepEqual(await ask(path, ['del server a/b']), {
    is: 'answered',
    text: 'No such server.\n',
  })
})

test('where nobody listens HAProxy is absent', async (t) => {
  const path = await aSocket(t, () => {})
  assert.deepEqual(await ask(`${path}.other`, ['show info']), { is: 'absent' })
})

test('a connection that stays silent has failed', async (t) => {
  const silent = await aSocket(t, () => {})
  const answer = await ask(silent, ['show info'], 50)
  assert.equal(answer.is, 'failed')
})
