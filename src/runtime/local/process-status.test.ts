import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

import { processStatus, processStatusIn } from './process-status.ts'

test('a name may contain what separates fields', () => {
  const after = 'S 1 2 2 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0'
  assert.deepEqual(processStatusIn(`7 (a) R (b) ${after}`), { state: 'S', ticks: 4711 })
})

test('a process is there until it has ended', async () => {
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  assert.ok(processStatus(pid))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(processStatus(pid), undefined)
})
