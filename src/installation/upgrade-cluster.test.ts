/** The real pg_upgrade, where the machine has two PostgreSQLs, as while a release of Debian replaces another. */

import assert from 'node:assert/strict'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'

import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import { type DataDirectory, dataDirectory } from './data-directory.ts'
import {
  asAdmin,
  binariesOf,
  ensureCluster,
  newestPostgres,
  presentPostgres,
  versionOf,
} from './postgres-cluster.ts'
import { Refusal } from './refusal.ts'
import { upgradeCluster } from './upgrade-cluster.ts'
import { ensureUsers, groupId, POSTGRES_USER, userId } from './users.ts'

const [newest = 0, older] = presentPostgres()

before(ensureUsers)

function aDataDirectory(t: TestContext): DataDirectory {
  // Short: the names of sockets in it may have 107 letters.
  const root = mkdtempSync(join(tmpdir(), 'mf-'))
  t.after(() => rmSync(root, { recursive: true }))
  ownedByPostgres(root)
  return dataDirectory(root)
}

function ownedByPostgres(directory: string): void {
  chownSync(directory, userId(POSTGRES_USER), groupId(POSTGRES_USER))
}

/** No cluster but for its version. */
function aLabel(directory: string, version: number): void {
  mkdirSync(directory)
  writeFileSync(join(directory, 'PG_VERSION'), `${version}\n`)
}

test(
  'a cluster of before is brought to the newest with all that is in it, though it was not ended in order',
  { skip: older === undefined && 'this machine has one PostgreSQL alone' },
  async (t) => {
    assert.ok(older !== undefined)
    const data = aDataDirectory(t)
    const run = (version: number, program: string, ...args: string[]) =>
      runProgram(
        asUser(POSTGRES_USER, POSTGRES_USER, [
          join(binariesOf(version), program),
          '-D',
          data.postgres,
          ...args,
        ]),
      )
    const start = (version: number) =>
      run(version, 'pg_ctl', 'start', '-w', '-l', '/dev/null', '-o', `-k ${data.root}`)
    const rows: unknown[] = []
    const said: string[] = []

    await run(
      older,
      'initdb',
      '--username=postgres',
      '--data-checksums',
      '--locale=C.UTF-8',
    )
    await ensureCluster(data)
    await start(older)
    await asAdmin(data.root, async (client) => {
      await client.query('create database mayfly')
      await client.query('create table kept as select generate_series(1, 1000) as n')
    })
    await run(older, 'pg_ctl', 'stop', '-w', '-m', 'immediate')

    await upgradeCluster(data, (it) => said.push(it))
    assert.equal(versionOf(data.postgres), newest)
    assert.equal(versionOf(`${data.postgres}.${older}`), older)
    assert.equal(said.length, 2)
    await ensureCluster(data)
    await start(newest)
    await asAdmin(data.root, async (client) => {
      rows.push(
        ...(await client.query('select count(*)::int, sum(n)::int from kept')).rows,
      )
    })
    await run(newest, 'pg_ctl', 'stop', '-w', '-m', 'fast')
    assert.deepEqual(rows, [{ count: 1000, sum: 500_500 }])

    await upgradeCluster(data, (it) => said.push(it))
    assert.equal(said.length, 2)
    assert.deepEqual(
      ['upgrade', 'upgraded', 'new'].filter((it) => existsSync(`${data.postgres}.${it}`)),
      [],
    )
  },
)

for (const wasMoved of [false, true]) {
  test(`one that was killed ${wasMoved ? 'between its renames' : 'before them'} goes on`, async (t) => {
    const data = aDataDirectory(t)
    aLabel(`${data.postgres}${wasMoved ? '.9' : ''}`, 9)
    aLabel(`${data.postgres}.upgraded`, newestPostgres())
    await upgradeCluster(data, assert.fail)
    assert.equal(versionOf(data.postgres), newest)
    assert.equal(versionOf(`${data.postgres}.9`), 9)
    assert.equal(existsSync(`${data.postgres}.upgraded`), false)
  })
}

test('without the PostgreSQL that it is of it is refused, and left as it is', async (t) => {
  const data = aDataDirectory(t)
  aLabel(data.postgres, 9)
  await assert.rejects(upgradeCluster(data, assert.fail), (error) => {
    assert.ok(error instanceof Refusal)
    assert.match(error.message, /is of PostgreSQL 9, which is not on this machine/)
    return true
  })
  assert.equal(versionOf(data.postgres), 9)
})

test('where there is none yet there is nothing to do', async (t) => {
  await upgradeCluster(aDataDirectory(t), assert.fail)
})
