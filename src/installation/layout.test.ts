import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, before, test } from 'node:test'

import { accessOf } from '../../test/access-of.ts'
import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import { dataDirectory, type Installation } from './data-directory.ts'
import { ensureLayout, layout } from './layout.ts'
import { ensureUsers, groupsOf, USERS } from './users.ts'

const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-layout-')))
const installation: Installation = {
  id: 'a1b2c3',
  apiPort: 5000,
  domain: 'localhost',
  regions: [{ name: 'us', httpPort: 8080, httpsPort: 8443, subnet: '172.16.0.0/18' }],
}

before(async () => {
  await ensureUsers()
  ensureLayout(data, installation)
})
after(() => rmSync(data.root, { recursive: true }))

/** Whom a directory is for, and what they may do there; all may pass where `all` says so. */
const passed = { all: '--x' }
const matrix: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '.': passed,
  keys: passed,
  run: passed,
  program: passed,
  stacks: { all: 'r-x' },
  routers: passed,
  'routers/us': passed,
  dynos: passed,
  'dynos/us': { all: '--x', 'mayfly-logs': 'r-x' },
  sources: { 'mayfly-api': '-wx', 'mayfly-git': '-wx' },
  repos: { 'mayfly-git': 'rwx' },
  logs: { 'mayfly-logs': 'rwx' },
  'ended-logs': { 'mayfly-logs': 'rwx' },
  slugs: {},
  cache: {},
  log: {},
  'run/supervisor': {},
  'run/manager-us': {},
  'run/api': { 'mayfly-api': 'rwx' },
  'run/git': { 'mayfly-git': 'rwx', 'mayfly-api': 'r-x' },
  'run/logs': { 'mayfly-logs': 'rwx', 'mayfly-api': 'r-x' },
  'run/rendezvous': { 'mayfly-rendezvous': 'rwx', 'mayfly-api': 'r-x' },
  'run/records': { 'mayfly-logs': 'rwx', haproxy: 'r-x' },
  'run/postgres': {
    postgres: 'rwx',
    'mayfly-api': 'r-x',
    'mayfly-git': 'r-x',
    'mayfly-logs': 'r-x',
    'mayfly-rendezvous': 'r-x',
  },
}
const users = [...USERS, 'haproxy', 'nobody', 'postgres']

test('each part has the directories it needs and no others', async () => {
  const paths = layout(data, installation).map(({ path }) => path)
  const names = paths.map((path) => relative(data.root, path) || '.')
  assert.deepEqual(names.toSorted(), Object.keys(matrix).toSorted())
  for (const [n, access] of (await accessOf(paths)).entries()) {
    const { all, ...its } = matrix[names[n] ?? ''] ?? {}
    const everybody = all === undefined ? [] : users.map((user) => [user, all] as const)
    assert.deepEqual(access, { ...Object.fromEntries(everybody), ...its }, names[n])
  }
})

test("a source is its uploader's alone", async () => {
  const mine = data.sourceFile('mine')
  await as('mayfly-git', 'sh', '-c', 'umask 077; touch $1', 'sh', mine)
  assert.deepEqual(await accessOf([mine]), [{ 'mayfly-git': 'rw-' }])
  await assert.rejects(as('mayfly-api', 'rm', '-f', mine), /not permitted/)
})

test('whatever root sees to lies where only root can put something else', () => {
  for (const { path } of layout(data, installation)) {
    if (path === data.root) continue
    const { uid, mode } = statSync(dirname(path))
    assert.equal(uid, 0, path)
    assert.equal(mode & 0o022, 0, path)
  }
})

test('what a part plants in a directory of its own is not given to it', async () => {
  const victim = join(data.root, 'victim')
  mkdirSync(victim)
  chmodSync(victim, 0o700)
  // `ended`: the logs of ended dynos lay there, and were looked after at each `up`.
  for (const name of ['ended', 'ended-logs'])
    await as('mayfly-logs', 'ln', '-s', victim, join(data.logs, name))
  ensureLayout(data, installation)
  assert.deepEqual(ownerAndMode(victim), [0, 0o700])
  await assert.rejects(as('mayfly-logs', 'touch', join(victim, 'x')), /Permission denied/)
  await assert.rejects(
    as('mayfly-logs', 'mv', data.endedLogs, join(data.logs, 'mine')),
    /Permission denied/,
  )
})

function ownerAndMode(path: string): number[] {
  const { uid, mode } = statSync(path)
  return [uid, mode & 0o7777]
}

function as(user: string, ...command: string[]): Promise<string> {
  return runProgram(asUser(user, groupsOf(user), command))
}
