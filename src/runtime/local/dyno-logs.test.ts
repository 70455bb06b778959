/** The log of a dyno: left to its readers, and followed by another when it is full. */

import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { accessOf } from '../../../test/access-of.ts'
import { until } from '../../../test/until.ts'
import { MiB } from '../../lib/bytes.ts'
import { mendLogs } from './log-files.ts'

const { signal } = new AbortController()
const { options, runtime, files, started, ended } = await aLocalRuntime()

test('an ended dyno leaves its log to those who read it', async () => {
  await mkdir(options.endedLogs, { recursive: true })
  const dyno = await started('echo last words')
  await until('it has ended', async () => (await ended(dyno.id)) !== undefined)
  await runtime.remove(dyno.id, signal)
  const log = await readFile(join(options.endedLogs, `${dyno.id}.log`), 'utf8')
  assert.match(log, /^\S+ stdout F last words\n$/)
})

test('a directory that a reader put where its log is to go keeps no dyno', async () => {
  const dyno = await started('echo last words')
  await until('it has ended', async () => (await ended(dyno.id)) !== undefined)
  await mkdir(join(options.endedLogs, `${dyno.id}.log`), { recursive: true })
  await runtime.remove(dyno.id, signal)
  assert.ok(!(await runtime.list(signal)).includes(dyno.id))
})

test('a log that is full is followed by one that its readers may read too', async () => {
  const volume = join(options.root, 'asked')
  await mkdir(volume)
  const dyno = await started(
    `until [ -e /build/go ]; do sleep 0.1; done; yes ${'x'.repeat(1000)} | head -n 70000; echo first; sleep 1000`,
    { volumes: [{ from: 'asked', at: '/build', writable: false }] },
  )
  const its = files.of(dyno.id)
  const { ino: full } = statSync(its.log)
  const reader = await open(its.log)
  await writeFile(join(volume, 'go'), '')
  let size = 0
  await until('another log is begun', async () => {
    const now = statSync(its.log)
    size = (await reader.stat()).size
    return now.ino !== full && now.size > 5000
  })
  assert.ok(size <= 64 * MiB && size > 63 * MiB)
  assert.deepEqual(await accessOf([its.log]), [{ 'mayfly-logs': 'r--' }])
  await reader.close()

  assert.ok(!existsSync(its.spareLog))
  mendLogs(its, undefined)
  assert.equal(statSync(its.spareLog).mode & 0o777, 0o640)
  const { text } = await runtime.output(dyno.id, size, signal)
  // conmon reads in pieces: the full log may end in the middle of a line.
  assert.match(text, /^x{0,1000}\n(x{1000}\n){2}/)
  await runtime.remove(dyno.id, signal)
})
