import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { makeDeepDirectory } from '../../test/a-deep-directory.ts'
import { Refusal } from './refusal.ts'
import { removeData } from './remove-data.ts'

/** A directory that is gone after the test, with what is `mounted` in it. */
function aPlace(t: TestContext) {
  const top = mkdtempSync(join(tmpdir(), 'mayfly-remove-'))
  const mounts: string[] = []
  t.after(() => {
    for (const it of mounts) execFileSync('umount', [it])
    rmSync(top, { recursive: true })
  })
  function mounted(directory: string): string {
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory])
    mounts.push(directory)
    return directory
  }
  return { top, mounted }
}

/** With something in it. */
function filled(directory: string): string {
  mkdirSync(join(directory, 'keys'), { recursive: true })
  writeFileSync(join(directory, 'keys/api-key'), 'secret')
  writeFileSync(join(directory, 'installation.json'), '{}')
  return directory
}

test('a directory goes with all that is in it', async (t) => {
  const { top } = aPlace(t)
  const data = filled(join(top, 'data'))
  await makeDeepDirectory(join(data, 'caches/deep'))
  await removeData(data)
  assert.deepEqual(readdirSync(top), [])
})

test('what a link leads to goes, and the link', async (t) => {
  const { top } = aPlace(t)
  const link = join(top, 'link')
  symlinkSync(filled(join(top, 'disk')), link)
  await removeData(link)
  assert.deepEqual(readdirSync(top), [])
})

test('so does a directory that is behind a link above it, and nothing else there', async (t) => {
  const { top } = aPlace(t)
  filled(join(top, 'disk/data'))
  symlinkSync(join(top, 'disk'), join(top, 'link'))
  await removeData(join(top, 'link/data'))
  assert.deepEqual(readdirSync(top), ['disk', 'link'])
  assert.deepEqual(readdirSync(join(top, 'disk')), [])
})

test('a disk is emptied and stays; a link to it goes', async (t) => {
  const { top, mounted } = aPlace(t)
  const disk = filled(mounted(join(top, 'my disk')))
  const link = join(top, 'link')
  await removeData(disk)
  assert.deepEqual(readdirSync(disk), [])
  symlinkSync(filled(disk), link)
  await removeData(link)
  assert.deepEqual(readdirSync(disk), [])
  assert.ok(!existsSync(link))
})

test('nothing goes where another disk is mounted below, behind a link too', async (t) => {
  const { top, mounted } = aPlace(t)
  const data = filled(join(top, 'my data'))
  const precious = join(mounted(join(data, 'stacks')), 'precious')
  writeFileSync(precious, '')
  const link = join(top, 'link')
  symlinkSync(data, link)
  for (const root of [data, link]) {
    await assert.rejects(
      removeData(root),
      (error) =>
        error instanceof Refusal && error.message.startsWith(`${data}/stacks is`),
    )
  }
  assert.ok(existsSync(precious))
  assert.ok(existsSync(join(data, 'installation.json')))
  assert.ok(existsSync(link))
})
