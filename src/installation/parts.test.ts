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

test('only what root runs gets what root compiled', () => {
  const regions = [{ name: 'us', subnet: '10.0.0.0/18', httpPort: 1, httpsPort: 1 }]
  const settings = { data, program: '/', databaseUrl: undefined, compileCache: '/cache' }
  const parts = partsOf({ ...settings, installation: { ...installation, regions } })
  const given = parts.filter(({ environment }) => 'NODE_COMPILE_CACHE' in environment)
  assert.deepEqual(
    given.map(({ name, environment }) => [name, environment['NODE_COMPILE_CACHE']]),
    [['manager-us', '/cache']],
  )
})

async function isReady(): Promise<boolean | undefined> {
  const settings = { data, installation, program: '/', databaseUrl: undefined }
  return partsOf(settings)
    .find((it) => it.name === 'git')
    ?.isReady(me)
}

function asGit(...command: string[]): Promise<string> {
  return runProgram(asUser('mayfly-git', GROUP, command))
}
