import assert from 'node:assert/strict'
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { writeInPlace } from './write-in-place.ts'

let directory = ''
let file = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mayfly-in-place-'))
  file = join(directory, 'resolv.conf')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a file is made, and stays the same one, whatever it comes to hold', async () => {
  await writeInPlace(file, 'nameserver 172.16.0.1\n')
  const { ino } = statSync(file)
  for (const text of ['nameserver 172.16.64.1\noptions timeout:2\n', 'short\n', '']) {
    await writeInPlace(file, text)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.equal(statSync(file).ino, ino)
  }
})

test('what it holds already is not written', async () => {
  writeFileSync(file, 'text\n')
  utimesSync(file, 1, 1)
  await writeInPlace(file, 'text\n')
  assert.equal(statSync(file).mtimeMs, 1000)
})
