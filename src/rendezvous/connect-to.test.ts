import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

import { asUser } from '../installation/as-user.ts'
import { ensureUsers, groupId, groupsOf } from '../installation/users.ts'
import { runProgram } from '../lib/run-program.ts'

const program = join(import.meta.dirname, '../..')

test('a stream is come to by whom it is for, who may not list what lies beside it', async () => {
  await ensureUsers()
  const root = mkdtempSync(join(tmpdir(), 'mayfly-connect-'))
  const directory = join(root, 'a-dyno')
  const stream = join(directory, 'stream.sock')
  mkdirSync(directory, { mode: 0o711 })
  mkdirSync(join(root, 'program'))
  writeFileSync(join(root, 'node'), '')
  chmodSync(root, 0o711)
  const server = createServer().listen(stream)
  await once(server, 'listening')
  chownSync(stream, 0, groupId('mayfly-rendezvous'))
  chmodSync(stream, 0o660)

  const come = `import { connectTo } from '${root}/program/src/rendezvous/connect-to.ts'
    const socket = await connectTo('${stream}')
    socket.end('hello', () => process.exit())`
  const comes = (user: string) => {
    const mounting = [
      program,
      join(root, 'program'),
      process.execPath,
      join(root, 'node'),
    ]
    const runs = [join(root, 'node'), '--input-type=module', '--eval', come]
    const alone = ['unshare', '--mount', '--propagation', 'slave', '--']
    const script = join(program, 'bin', 'run-part.sh')
    const command = asUser(user, groupsOf(user), runs)
    return runProgram([...alone, script, ...mounting, ...command])
  }
  const met = once(server, 'connection') as Promise<[Socket]>
  await comes('mayfly-rendezvous')
  const [client] = await met
  assert.equal(await text(client), 'hello')
  for (const other of ['mayfly-api', 'mayfly-git', 'mayfly-logs'])
    await assert.rejects(comes(other), /EACCES/)
  client.destroy()
  server.close()
  rmSync(root, { recursive: true })
})
