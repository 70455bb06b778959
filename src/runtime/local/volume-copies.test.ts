/** Copies of plain directories, with a `cp` and a `sync` of the test's own before the machine's. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { until } from '../../../test/until.ts'
import { runProgram } from '../../lib/run-program.ts'
import { VolumeCopies } from './volume-copies.ts'

const { signal } = new AbortController()
const hasty = AbortSignal.abort()
const path = process.env['PATH'] ?? ''
let root = ''
let copy = { from: '', to: '', most: { bytes: 0, files: 0 } }

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mayfly-copies-'))
  copy = {
    from: join(root, 'volume'),
    to: join(root, 'slugs', 'one'),
    most: { bytes: Infinity, files: Infinity },
  }
  for (const it of ['volume/content', 'slugs', 'bin'])
    mkdirSync(join(root, it), { recursive: true })
  writeFileSync(join(copy.from, 'content', 'file'), 'kept')
  execFileSync('mkfifo', [join(root, 'gate')])
  process.env['PATH'] = join(root, 'bin') + delimiter + path
})
afterEach(() => {
  process.env['PATH'] = path
  delete process.env['MAYFLY_DATA']
  delete process.env['MAYFLY_PART']
  rmSync(root, { recursive: true })
})

test('a copy outlives the manager that began it, and is not made by another beside it', async () => {
  const made = `echo "$MAYFLY_DATA,$MAYFLY_PART" >>${root}/runs`
  put('cp', `${made}; : <${root}/gate; exec /usr/bin/cp "$@"`)
  Object.assign(process.env, { MAYFLY_DATA: root, MAYFLY_PART: 'manager-us' })
  const module = JSON.stringify(join(import.meta.dirname, 'volume-copies.ts'))
  const manager = `const { VolumeCopies } = await import(${module})
    new VolumeCopies().copy(${JSON.stringify({ ...copy, most: { bytes: 2 ** 31, files: 1000 } })}, AbortSignal.abort())
      .then((isThere) => process.stdout.write(String(isThere), () => process.exit(1)))`
  const first = runProgram([process.execPath, '--input-type=module', '--eval', manager])
  await assert.rejects(first, /ended with status 1/)
  await until('it is being made', () => existsSync(join(root, 'runs')))

  const successor = new VolumeCopies()
  assert.equal(await successor.copy(copy, hasty), false)
  await until('it waits for the first', () => isWaitedFor(copy.from))
  await writeFile(join(root, 'gate'), '')
  await until('it is there', () => successor.copy(copy, signal))
  assert.equal(readFileSync(join(copy.to, 'file'), 'utf8'), 'kept')
  // And nobody takes it for the part.
  assert.equal(readFileSync(join(root, 'runs'), 'utf8'), `${root},\n`)
  assert.deepEqual(readdirSync(join(root, 'slugs')), ['one'])
})

test('a copy that fails says why, and is then made anew', async () => {
  put('cp', `echo "cp: error writing 'file': No space left on device" >&2; exit 1`)
  const copies = new VolumeCopies()
  const fails = until('it fails', () => copies.copy(copy, signal))
  await assert.rejects(fails, /No space left on device/)
  assert.ok(!existsSync(copy.to))
  rmSync(join(root, 'bin', 'cp'))
  await until('it is there', () => copies.copy(copy, signal))
})

test('what is too large has its own code', async () => {
  const copies = new VolumeCopies()
  const refused = until('it is refused', () =>
    copies.copy({ ...copy, most: { bytes: 1, files: 1000 } }, signal),
  )
  await assert.rejects(refused, { name: 'RuntimeError', code: 'too_large' })
})

test('a copy gets its name when it is on disk', async () => {
  put('sync', `[ -e ${copy.to}.new/file -a ! -e ${copy.to} ] && exit 1; exit 2`)
  const copies = new VolumeCopies()
  const fails = until('it fails', () => copies.copy(copy, signal))
  await assert.rejects(fails, /sync .* ended with status 1/)
  assert.ok(!existsSync(copy.to))
  rmSync(join(root, 'bin', 'sync'))
  await until('it is there', () => copies.copy(copy, signal))
})

test('a copy is still there when its volume is gone', async () => {
  const copies = new VolumeCopies()
  await until('it is there', () => copies.copy(copy, signal))
  rmSync(copy.from, { recursive: true })
  assert.equal(await copies.copy(copy, hasty), true)
})

test('a copy is removed when nobody makes it any more', async () => {
  put('cp', `echo >>${root}/runs; : <${root}/gate; exec /usr/bin/cp "$@"`)
  const copies = new VolumeCopies()
  assert.equal(await copies.copy(copy, hasty), false)
  await until('it is being made', () => existsSync(join(root, 'runs')))
  assert.equal(await copies.remove(copy, hasty), false)
  await writeFile(join(root, 'gate'), '')
  await until('it is gone', () => copies.remove(copy, signal))
  assert.deepEqual(readdirSync(join(root, 'slugs')), [])
})

/** Whether somebody waits for a lock of it. */
function isWaitedFor(file: string): boolean {
  const { ino } = statSync(file)
  return new RegExp(`-> FLOCK .*:${ino} `).test(readFileSync('/proc/locks', 'utf8'))
}

function put(program: string, script: string): void {
  writeFileSync(join(root, 'bin', program), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}
