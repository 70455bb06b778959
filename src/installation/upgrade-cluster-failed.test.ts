/**
 * A cluster that the real pg_upgrade refuses. This machine may have one PostgreSQL alone: in a mount namespace it is there
 * by two numbers, which is all that tells old from new before pg_upgrade looks.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'

import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import { type DataDirectory, dataDirectory } from './data-directory.ts'
import {
  asAdmin,
  ensureCluster,
  newestPostgres,
  postgresCommand,
  versionOf,
} from './postgres-cluster.ts'
import { ensureUsers, groupId, POSTGRES_USER, userId } from './users.ts'

before(ensureUsers)

test('what pg_upgrade refuses is told, and the database goes on as it was', async (t) => {
  const data = aDataDirectory(t)
  await ensureCluster(data)
  await whileRunning(data, () =>
    asAdmin(data.root, async (client) => {
      await client.query('create table kept as select 1 as n')
      await client.query('create database closed allow_connections false')
    }),
  )
  const version = newestPostgres()

  const said = upgradeWhere(version + 1, data)
  assert.match(
    said,
    new RegExp(
      `goes on as PostgreSQL ${version}, for it could not be brought to ${version + 1}; .*` +
        'pg_upgrade .*All non-template0 databases must allow connections',
      's',
    ),
  )
  assert.equal(versionOf(data.postgres), version)
  assert.equal(versionOf(`${data.postgres}.new`), undefined)
  const logs = globSync('**/*.txt', { cwd: `${data.postgres}.upgrade` })
  assert.match(
    logs.map((it) => readFileSync(join(`${data.postgres}.upgrade`, it), 'utf8')).join(),
    /closed/,
  )
  await whileRunning(data, () =>
    asAdmin(data.root, async (client) => {
      assert.deepEqual((await client.query('select n from kept')).rows, [{ n: 1 }])
    }),
  )
})

/** What `upgradeCluster` says on a machine that has this PostgreSQL by another number, too. */
function upgradeWhere(newest: number, { root }: DataDirectory): string {
  const fake = mkdtempSync(join(tmpdir(), 'pg-'))
  chmodSync(fake, 0o755)
  const numbers = [newestPostgres(), newest]
  for (const it of numbers) mkdirSync(join(fake, String(it)))
  const here = `/usr/lib/postgresql/${newestPostgres()}`
  const mounts = numbers.map((it) => `mount --bind ${here} ${fake}/${it}`)
  const script = `
    import { dataDirectory } from '${import.meta.dirname}/data-directory.ts'
    import { upgradeCluster } from '${import.meta.dirname}/upgrade-cluster.ts'
    await upgradeCluster(dataDirectory('${root}'), console.log)`
  const inside = [...mounts, `mount --rbind ${fake} /usr/lib/postgresql`, 'exec "$@"']
  const node = [process.execPath, '--input-type=module', '--eval', script]
  try {
    return execFileSync(
      'unshare',
      ['--mount', 'sh', '-ec', inside.join('\n'), 'sh', ...node],
      { encoding: 'utf8' },
    )
  } finally {
    rmSync(fake, { recursive: true })
  }
}

async function whileRunning(
  data: DataDirectory,
  act: () => Promise<void>,
): Promise<void> {
  const [postgres = ''] = postgresCommand(data.postgres, data.root)
  const run = (...args: string[]) =>
    runProgram(
      asUser(POSTGRES_USER, POSTGRES_USER, [
        join(postgres, '../pg_ctl'),
        '-D',
        data.postgres,
        '-w',
        ...args,
      ]),
    )
  await run('start', '-l', '/dev/null', '-o', `-k ${data.root}`)
  try {
    await act()
  } finally {
    await run('stop', '-m', 'fast')
  }
}

function aDataDirectory(t: TestContext): DataDirectory {
  // Short: the names of sockets in it may have 107 letters.
  const root = mkdtempSync(join(tmpdir(), 'mf-'))
  t.after(() => rmSync(root, { recursive: true }))
  chownSync(root, userId(POSTGRES_USER), groupId(POSTGRES_USER))
  return dataDirectory(root)
}
