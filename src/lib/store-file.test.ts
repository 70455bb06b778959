import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { storeFile } from './store-file.ts'

const root = await mkdtemp(join(tmpdir(), 'mayfly-store-'))
after(() => rm(root, { recursive: true }))

const bounds = {
  most: 4,
  tooLarge: () => new Error('too large'),
  noRoom: () => new Error('no room'),
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

test('what comes becomes a file for its owner alone', async () => {
  const path = join(root, 'whole')
  await storeFile(pieces('ab', 'cd'), path, bounds)
  assert.equal(await readFile(path, 'utf8'), 'abcd')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('of what is too large, and of what breaks off, nothing is left', async () => {
  const path = join(root, 'none')
  await assert.rejects(storeFile(pieces('ab', 'cde'), path, bounds), /too large/)
  const broken = (async function* () {
    yield* pieces('ab')
    throw new Error('broken off')
  })()
  await assert.rejects(storeFile(broken, path, bounds), /broken off/)
  // Also where it is over before there is a file.
  const ends = Array.from({ length: 100 }, () =>
    assert.rejects(storeFile(pieces('too long'), path, bounds), /too large/),
  )
  await Promise.all(ends)
  assert.deepEqual(await readdir(root), ['whole'])
})

test('what is too large is asked for no more', async () => {
  let asked = 0
  const endless = (async function* () {
    for (;;) {
      asked += 1
      yield* pieces('ab')
    }
  })()
  await assert.rejects(storeFile(endless, join(root, 'none'), bounds), /too large/)
  assert.equal(asked, 3)
})
