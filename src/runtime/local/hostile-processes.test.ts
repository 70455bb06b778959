/** Dynos whose processes take long to look at. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { untilSeen } from '../../../test/until.ts'
import { LocalRuntime } from './local-runtime.ts'
import { dynoRunsWith, runsWith } from './process-status.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
const runtime = new LocalRuntime(options)

before(() => runtime.prepare(signal))
after(close)

test('of a command line without end only the front is read', async () => {
  const its = ['front', ...Array<string>(1000).fill('0'.repeat(100)), 'end']
  const child = spawn('sh', ['-c', 'read line', ...its], { stdio: 'pipe' })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  try {
    for (const word of ['front', 'end']) {
      assert.equal(runsWith(pid, word), word === 'front')
      assert.equal(await dynoRunsWith(pid, word), word === 'front')
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  assert.equal(await dynoRunsWith(pid, 'front'), false)
})

test('while a dyno`s threads are looked at, others have their turns', async () => {
  const threads = 200
  const command = `exec python3 -c '
import threading
for _ in range(${threads}):
    threading.Thread(target=threading.Event().wait).start()
print("ready", flush=True)'`
  const dyno = aDynoSpec({ command, address: address(0) })
  await runtime.start(dyno, signal)
  await untilSeen('it has them', async () => {
    const { text } = await runtime.output(dyno.id, 0, signal)
    return text.includes('ready') || undefined
  })
  let turns = 0
  let counted = setImmediate(count)
  function count(): void {
    turns += 1
    counted = setImmediate(count)
  }
  const runnable = await runtime.runnable([dyno.id], signal)
  clearImmediate(counted)
  assert.ok((runnable.get(dyno.id) ?? threads) < threads)
  assert.ok(turns >= threads / 20, `${turns} turns`)
  await runtime.remove(dyno.id, signal)
})
