import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'

import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { asUser } from './as-user.ts'
import { dataDirectory } from './data-directory.ts'
import { endProcess, processOf } from './living-process.ts'
import {
  asAdmin,
  ensureCluster,
  ensureDatabase,
  postgresAnswers,
  postgresCommand,
} from './postgres-cluster.ts'
import { ensureUsers, GROUP, groupId, POSTGRES_USER, userId } from './users.ts'

before(ensureUsers)

test('the server finds no error in its configuration, also in one that initdb left as it was', async (t) => {
  // Short: the names of sockets in it may have 107 letters.
  const root = mkdtempSync(join(tmpdir(), 'mf-'))
  t.after(() => rmSync(root, { recursive: true }))
  const data = dataDirectory(root)
  const sockets = data.run('postgres')
  mkdirSync(sockets, { recursive: true })
  for (const it of [root, sockets]) {
    chownSync(it, userId(POSTGRES_USER), groupId(POSTGRES_USER))
  }
  const config = join(data.postgres, 'postgresql.conf')
  const initialised = 'max_connections = 100\t\t\t# (change requires restart)'

  await ensureCluster(data)
  const fresh = readFileSync(config, 'utf8')
  assert.doesNotMatch(fresh, /^max_connections/m)
  assert.match(fresh, /^#max_connections = /m)
  appendFileSync(config, `${initialised}\n`)
  await ensureCluster(data)
  assert.equal(readFileSync(config, 'utf8'), `${fresh}#${initialised}\n`)
  const { ino } = statSync(config)
  await ensureCluster(data)
  assert.equal(statSync(config).ino, ino)

  const command = postgresCommand(data.postgres, sockets)
  const [program = '', ...args] = asUser(POSTGRES_USER, GROUP, command)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
  let log = ''
  child.stderr.on('data', (it: Buffer) => (log += it.toString()))
  const server = processOf(child.pid ?? 0)
  assert.ok(server)
  try {
    await until('it answers', () => postgresAnswers(sockets))
    await ensureDatabase(data)
    await until('it has read its configuration again', () => log.includes('SIGHUP'))
    await asAdmin(sockets, async (client) => {
      const wrong = await client.query(
        'select name, error from pg_file_settings where error is not null',
      )
      assert.deepEqual(wrong.rows, [])
      const { rows } = await client.query('show max_connections')
      assert.deepEqual(rows, [{ max_connections: '200' }])
    })
    assert.doesNotMatch(log, /contains errors|cannot be changed/)
  } finally {
    await endProcess(server, { signal: 'SIGINT', patience: 10 * SECOND })
  }
})
