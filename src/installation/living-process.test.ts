import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { SECOND } from '../lib/clock.ts'
import {
  endProcess,
  isAlive,
  processOf,
  readProcessFile,
  sendSignal,
  writeProcessFile,
} from './living-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-living-'))
after(() => rmSync(directory, { recursive: true }))

/** A process that says when it is ready, and ignores SIGTERM if told so. */
async function aProcess({ stubborn = false } = {}) {
  const script = `${stubborn ? `trap '' TERM; ` : ''}echo; while :; do read line; done`
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const found = processOf(child.pid ?? 0)
  assert.ok(found)
  return found
}

test('a process is known by pid and start, and so is its end', async () => {
  const it = await aProcess()
  assert.ok(isAlive(it))
  await endProcess(it, { signal: 'SIGTERM', patience: 10 * SECOND })
  assert.ok(!isAlive(it))
  assert.equal(sendSignal(it, 'SIGTERM'), false)
})

test('another process with the same pid is not it, and is left alone', async () => {
  const it = await aProcess()
  const earlier = { ...it, startTicks: it.startTicks - 1 }
  assert.ok(!isAlive(earlier))
  await endProcess(earlier, { signal: 'SIGKILL', patience: 0 })
  assert.ok(isAlive(it))
  await endProcess(it, { signal: 'SIGKILL', patience: 0 })
})

test('who does not listen is killed once patience ends', async () => {
  const it = await aProcess({ stubborn: true })
  await endProcess(it, { signal: 'SIGTERM', patience: 100 })
  assert.ok(!isAlive(it))
})

test('a process file tells which; a broken or absent one tells nothing', () => {
  const file = join(directory, 'part.json')
  assert.equal(readProcessFile(file), undefined)
  writeProcessFile(file, { pid: 4242, startTicks: 7 })
  assert.deepEqual(readProcessFile(file), { pid: 4242, startTicks: 7 })
  writeFileSync(file, '{"pid": 42')
  assert.equal(readProcessFile(file), undefined)
  // Signals to 0, 1 and -1 would reach far more than a part.
  writeFileSync(file, '{"pid": 1, "startTicks": 0}')
  assert.equal(readProcessFile(file), undefined)
})
