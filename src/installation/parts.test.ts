import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import { dataDirectory, type Installation } from './data-directory.ts'
import { partsOf } from './parts.ts'
import { ensureUsers, GROUP, userId } from './users.ts'

const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-parts-')))
const installation: Installation = {
  id: 'a1b2c3',
  apiPort: 5000,
  domain: 'localhost',
  regions: [],
}
const settings = { data, installation, program: '/', databaseUrl: undefined }
const me = { pid: process.pid, startTicks: 0 }
const ready = data.readyFile('git')

before(async () => {
  await ensureUsers()
  chmodSync(data.root, 0o711)
  mkdirSync(data.run('git'), { recursive: true })
  chownSync(data.run('git'), userId('mayfly-git'), 0)
})
after(() => rmSync(data.root, { recursive: true }))

test('a part is ready once it has written its pid', async () => {
  assert.equal(await isReady(), false)
  await asGit('sh', '-c', 'echo $1 > $2', 'sh', String(process.pid), ready)
  assert.equal(await isReady(), true)
  rmSync(ready)
})

test('what a part planted instead says nothing, and holds nobody up', async () => {
  const pid = join(data.root, 'pid')
  writeFileSync(pid, `${process.pid}\n`, { mode: 0o600 })
  for (const plant of [['ln', '-s', pid], ['mkfifo'], ['mkdir']]) {
    await asGit(...plant, ready)
    assert.equal(await isReady(), false, plant.join(' '))
    rmSync(ready, { recursive: true })
  }
})

const us = { name: 'us', httpPort: 80, httpsPort: 443, subnet: '172.24.128.0/18' }
const withRegion = { ...settings, installation: { ...installation, regions: [us] } }

test('only what root runs gets what root compiled', () => {
  const parts = partsOf({ ...withRegion, compileCache: '/cache' })
  const given = parts.filter(({ environment }) => 'NODE_COMPILE_CACHE' in environment)
  assert.deepEqual(
    given.map(({ name, environment }) => [name, environment['NODE_COMPILE_CACHE']]),
    [['manager-us', '/cache']],
  )
})

test('who outlives up is in a cgroup of its own, not in that of the session which up runs in', () => {
  const all = partsOf(withRegion)
  const cgroups = all.filter((it) => it.outlivesUp).map((it) => it.bounds?.cgroup)
  assert.deepEqual(cgroups, [
    'mayfly-a1b2c3.routers/router-us',
    'mayfly-a1b2c3/part.resolver-us',
  ])
})

async function isReady(): Promise<boolean | undefined> {
  return partsOf(settings)
    .find((it) => it.name === 'git')
    ?.isReady(me)
}

function asGit(...command: string[]): Promise<string> {
  return runProgram(asUser('mayfly-git', GROUP, command))
}
