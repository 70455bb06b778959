/** What a dyno may take of the machine, and what comes of more. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { MiB } from '../../lib/bytes.ts'

const { run, aSpec } = await aLocalRuntime()

test('memory beyond the limit ends the dyno, and the cause is told', async () => {
  const small = { ...aSpec('').size, hardMemory: 32 * MiB }
  const command = `exec python3 -c 'x = bytearray(100_000_000)'`
  const status = await run(command, { size: small })
  assert.deepEqual([status.status, status.outOfMemory], [137, true])
})

test('processes beyond the limit are refused', async () => {
  const few = { ...aSpec('').size, processes: 20 }
  const forks =
    'import os, time\nfor i in range(40):\n if os.fork() == 0: time.sleep(1000)'
  const { text, status } = await run(`exec python3 -c "${forks}" 2>&1`, { size: few })
  assert.equal(status, 1)
  assert.match(text, /BlockingIOError/)
})

test('open files beyond the limit are refused, and it can be raised to the hard one', async () => {
  const few = { ...aSpec('').size, openFiles: 100, hardOpenFiles: 150 }
  const opens = 'all = [open("/dev/null") for _ in range(200)]'
  const command = `ulimit -Sn; ulimit -Sn 151 2>/dev/null || ulimit -Sn 150 && ulimit -Sn
    exec python3 -c '${opens}' 2>&1`
  const { text, status } = await run(command, { size: few })
  assert.equal(status, 1)
  assert.match(text, /^100\n150\n[^]*Too many open files/)
})
