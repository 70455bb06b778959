/** On which database `up` brings an installation up whose data are in a PostgreSQL of the operator's. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { Client } from 'pg'

import { runProgram } from '../../src/lib/run-program.ts'
import { anInstallation } from '../../test/an-installation.ts'
import { aDatabase } from '../../test/postgres.ts'
import { findInstallation } from '../../src/installation/open-installation.ts'
import { binariesOf } from '../../src/installation/postgres-cluster.ts'

const installation = anInstallation({ isUp: false, regions: ['us'] })
const { data } = installation
const others = aDatabase()
const [first, second] = [1, 2].map(() => `test_${randomBytes(6).toString('hex')}`) as [
  string,
  string,
]

async function asked<T>(database: string, statement: string): Promise<T[]> {
  const client = new Client({ database })
  await client.connect()
  try {
    return (await client.query(statement)).rows as T[]
  } finally {
    await client.end()
  }
}

after(async () => {
  for (const it of [first, second]) {
    await asked('postgres', `drop database if exists ${it} with (force)`)
  }
})

const tablesIn = async (database: string) =>
  (await asked(database, `select from pg_tables where schemaname = 'public'`)).length

/** What it says until it begins its parts, or refuses; it is ended then. */
async function upOn(database: string): Promise<string> {
  const { PGHOST = '', PGUSER = '' } = process.env
  const url = `postgresql://${PGUSER}@/${database}?host=${encodeURIComponent(PGHOST)}`
  const [file = '', ...args] = installation.mayflyCommand(
    'up',
    `--api-port=${installation.apiPort}`,
    `--http-port=${installation.httpPort}`,
    `--https-port=${installation.httpsPort}`,
    '--regions=us',
    '--no-example',
  )
  const env = { ...process.env, DATABASE_URL: url, HOME: installation.home }
  const up = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(up, 'close')
  let said = ''
  up.stderr.on('data', (it: Buffer) => {
    said += it.toString()
    if (said.includes('starting all parts')) up.kill('SIGTERM')
  })
  await ended
  return said
}

test('it comes up on its own database and on a copy of that, and on no other', async () => {
  await asked('postgres', `create database ${first}`)
  assert.match(await upOn(first), /starting all parts/)
  const [its] = await asked<{ id: string }>(first, 'select id from database_identity')
  assert.ok(its)
  assert.equal(findInstallation(data)?.databaseId, its.id)

  await asked('postgres', `create database ${second}`)
  const kept = readFileSync(data.installation)
  assert.match(await upOn(second), /it has no id, as an empty one has none, and should /)
  assert.equal(await tablesIn(second), 0)
  const theirs = others.options.database ?? ''
  assert.match(await upOn(theirs), /it has the id \S+, and should have \S+\. Where /)
  assert.deepEqual((await others.query('select from accounts')).rows, [])
  assert.deepEqual(readFileSync(data.installation), kept)

  const dump = await runProgram([join(binariesOf(), 'pg_dump'), `--dbname=${first}`])
  await runProgram(
    [
      join(binariesOf(), 'psql'),
      '--quiet',
      `--dbname=${second}`,
      '--set=ON_ERROR_STOP=1',
    ],
    { input: dump },
  )
  assert.match(await upOn(second), /starting all parts/)

  const { databaseId: _, ...forgetful } = findInstallation(data) ?? {}
  writeFileSync(data.installation, JSON.stringify(forgetful))
  assert.match(await upOn(theirs), /starting all parts/)
  const [now] = (await others.query<{ id: string }>('select id from database_identity'))
    .rows
  assert.equal(findInstallation(data)?.databaseId, now?.id)
})
