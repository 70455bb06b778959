import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { freePort } from '../../test/free-ports.ts'
import { aDatabase } from '../../test/postgres.ts'
import { dataDirectory } from '../../src/installation/data-directory.ts'
import { databaseIdentity } from '../../src/store/database-identity.ts'

const program = join(import.meta.dirname, '..', 'mayfly.ts')
const top = mkdtempSync(join(tmpdir(), 'mayfly-database-'))
after(() => rmSync(top, { recursive: true }))
const pool = aDatabase()
const theirs = () => {
  const { PGHOST = '', PGUSER = '' } = process.env
  const host = encodeURIComponent(PGHOST)
  return `postgresql://${PGUSER}@/${pool.options.database}?host=${host}`
}
const accounts = async () => (await pool.query('select email from accounts')).rows.length

/** The data directory of one whose parts do not run. */
function anInstallation(
  name: string,
  database?: 'elsewhere',
  databaseId?: string,
): string {
  const data = dataDirectory(join(top, name))
  mkdirSync(data.root)
  const decided = { id: 'a1b2c3', apiPort: 1, domain: 'localhost', regions: [] }
  writeFileSync(data.installation, JSON.stringify({ ...decided, database, databaseId }))
  return data.root
}

/** Of `account:create`. */
function created(root: string, url?: string, email = 'ann@example.com') {
  const { DATABASE_URL: _, ...rest } = process.env
  const env = { ...rest, ...(url !== undefined && { DATABASE_URL: url }) }
  const args = [program, 'account:create', email, '--data', root]
  return new Promise<{ ok: boolean; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout, stderr }),
    )
  })
}

test('a database that is not the installation’s is left alone, and the cause is told', async () => {
  const own = anInstallation('own')
  const elsewhere = anInstallation('elsewhere', 'elsewhere')
  const port = await freePort()
  const nobody = `postgresql://ann:secret@localhost:${port}/mayfly`
  const refusals: [string, string | undefined, RegExp][] = [
    [own, undefined, /^mayfly: The database does not answer: \.\/mayfly up starts it\.$/],
    [own, '', /: \.\/mayfly up starts it\.$/],
    [own, theirs(), /PostgreSQL of its own, and DATABASE_URL names another: unset it\.$/],
    [elsewhere, undefined, /in a PostgreSQL of yours: give DATABASE_URL, as when /],
    [elsewhere, nobody, /that DATABASE_URL names does not answer: .*ECONNREFUSED.*\.$/],
    [
      elsewhere,
      theirs().replace('/test_', '/no_'),
      /does not answer: .* does not exist\.$/,
    ],
  ]
  for (const [root, url, why] of refusals) {
    const { ok, stdout, stderr } = await created(root, url)
    assert.deepEqual([ok, stdout], [false, ''], `${why}`)
    assert.match(stderr.trimEnd(), why)
    assert.doesNotMatch(stderr, /secret|\n./)
  }
  assert.equal(await accounts(), 0)
})

test('the one that DATABASE_URL names is, where it was set up so', async () => {
  const { ok, stdout, stderr } = await created(
    anInstallation('its', 'elsewhere'),
    theirs(),
  )
  assert.ok(ok, stderr)
  assert.match(stdout, /^\S+\n$/)
  assert.equal(await accounts(), 1)
})

test('another’s is left alone, and an empty one, where the installation knows its own', async () => {
  const id = await databaseIdentity(pool)
  assert.ok(id !== undefined)
  const before = await accounts()
  const others = anInstallation('others', 'elsewhere', randomUUID())
  const another = await created(others, theirs())
  assert.deepEqual([another.ok, another.stdout], [false, ''])
  assert.match(
    another.stderr,
    new RegExp(
      `is not this installation's: it has the id ${id}, .*installation\\.json\\.$`,
      'm',
    ),
  )
  const its = anInstallation('known', 'elsewhere', id)
  const empty = await created(its, theirs().replace(/\/test_\w+/, '/postgres'))
  assert.deepEqual([empty.ok, empty.stdout], [false, ''])
  assert.match(empty.stderr, /is not this installation's: it has no id, /)
  assert.equal(await accounts(), before)
  assert.ok((await created(its, theirs(), 'bob@example.com')).ok)
})
