import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

import { dataDirectory, type Installation } from './data-directory.ts'
import { ensureLayout, layout } from './layout.ts'
import { asUser, runProgram } from './run-program.ts'
import { ensureUsers, GROUP } from './users.ts'

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
    await asLogs('ln', '-s', victim, join(data.logs, name))
  ensureLayout(data, installation)
  assert.deepEqual(ownerAndMode(victim), [0, 0o700])
  await assert.rejects(asLogs('touch', join(victim, 'x')), /Permission denied/)
  await assert.rejects(
    asLogs('mv', data.endedLogs, join(data.logs, 'mine')),
    /Permission denied/,
  )
})

function ownerAndMode(path: string): number[] {
  const { uid, mode } = statSync(path)
  return [uid, mode & 0o7777]
}

function asLogs(...command: string[]): Promise<string> {
  return runProgram(asUser('mayfly-logs', GROUP, command))
}
