import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { makeDeepDirectory } from '../../test/a-deep-directory.ts'
import { removeTree } from './remove-tree.ts'

test('what no path can name goes with what it is in', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-remove-'))
  const [deep, file, option] = ['deep', 'file', '-i'].map((it) => join(directory, it))
  await makeDeepDirectory(deep ?? '')
  for (const it of [file, option]) writeFileSync(it ?? '', '')
  await removeTree(deep ?? '', file ?? '', option ?? '', join(directory, 'none'))
  rmdirSync(directory)
})

test('what cannot be removed is told of', async () => {
  assert.ok(existsSync('/proc/self/status'))
  await assert.rejects(removeTree('/proc/self/status'), /status/)
  await removeTree()
})
