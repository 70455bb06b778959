import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { SECOND } from './clock.ts'
import { acceptsConnections } from './accepts-connections.ts'
import { listenOnSocket } from './listen-on-socket.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-socket-'))
after(() => rmSync(directory, { recursive: true }))

test('a socket that a killed process left is replaced by one of the mode', async (t) => {
  const path = join(directory, 'one.sock')
  const listening = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log())`
  const killed = spawn(process.execPath, ['--eval', listening])
  await once(killed.stdout, 'data')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  assert.ok(statSync(path).isSocket())

  const server = createServer((socket) => socket.destroy())
  t.after(() => server.close())
  await listenOnSocket(server, path, 0o660)
  assert.equal(statSync(path).mode & 0o777, 0o660)
  assert.ok(await acceptsConnections({ path }, 10 * SECOND))
})

test('where it cannot listen it rejects, whoever else hears of the error', async () => {
  const server = createServer()
  const heard: Error[] = []
  server.on('error', (error) => heard.push(error))
  const path = join(directory, 'absent', 'one.sock')
  await assert.rejects(listenOnSocket(server, path, 0o660), { syscall: 'listen' })
  assert.equal(heard.length, 1)
})
