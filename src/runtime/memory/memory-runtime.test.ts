import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { COMMANDS, itIsARuntime } from '../../../test/runtime-contract.ts'
import { systemClock } from '../../lib/clock.ts'
import type { DynoId } from '../../model/ids.ts'
import { MemoryRuntime, type MemoryRuntimeOptions } from './memory-runtime.ts'

const { signal } = new AbortController()

itIsARuntime(
  'memory',
  async () => {
    const runtime = aMemoryRuntime({ turn: () => setImmediate() })
    return {
      runtime,
      again: () => runtime,
      address: (n) => `172.30.0.${2 + n}`,
      close: async () => undefined,
    }
  },
  (runtime, dyno) => {
    if (!(runtime instanceof MemoryRuntime)) return
    const { listens, answers } = COMMANDS
    if ([listens, answers].some((it) => it === dyno.command)) runtime.listen(dyno.id)
    if (dyno.command === COMMANDS.exits) runtime.exit(dyno.id, 7)
    if (dyno.command === COMMANDS.prints) runtime.print(dyno.id, 'one\ntwo\nthree\n')
    else runtime.print(dyno.id, 'ready\n')
  },
)

test('by default a dyno listens at once', async () => {
  const runtime = new MemoryRuntime(systemClock)
  const dyno = aDynoSpec({ command: 'x', address: '172.30.0.2', port: 5000 })
  await runtime.start(dyno, signal)
  assert.equal(listening(await statusOf(runtime, dyno.id)), true)
})

test('a dyno that is lost says so, one that is forgotten is unknown', async () => {
  const runtime = aMemoryRuntime()
  const dyno = aDynoSpec({ command: 'x', address: '172.30.0.2' })
  await runtime.start(dyno, signal)
  runtime.lose(dyno.id)
  assert.deepEqual(await statusOf(runtime, dyno.id), { is: 'lost' })
  runtime.forget(dyno.id)
  assert.equal(await statusOf(runtime, dyno.id), undefined)
})

test('start goes on from a half-started dyno', async () => {
  const runtime = aMemoryRuntime()
  const dyno = aDynoSpec({ command: 'x', address: '172.30.0.2' })
  runtime.halfStart(dyno)
  assert.deepEqual(await statusOf(runtime, dyno.id), { is: 'created' })
  await runtime.start(dyno, signal)
  assert.equal((await statusOf(runtime, dyno.id))?.is, 'running')
})

test('out of memory is told', async () => {
  const runtime = aMemoryRuntime()
  const dyno = aDynoSpec({ command: 'x', address: '172.30.0.2' })
  await runtime.start(dyno, signal)
  runtime.exit(dyno.id, 137, { outOfMemory: true })
  const status = await statusOf(runtime, dyno.id)
  assert.ok(status?.is === 'exited' && status.outOfMemory)
})

function aMemoryRuntime(turn: Pick<MemoryRuntimeOptions, 'turn'> = {}): MemoryRuntime {
  return new MemoryRuntime(systemClock, {
    ...turn,
    boot: () => 'waits',
    answers: (_, path) => (path === '/elsewhere' ? 302 : 200),
    heedsSigterm: (dyno) => dyno.command !== COMMANDS.ignoresSigterm,
  })
}

async function statusOf(runtime: MemoryRuntime, id: DynoId) {
  return (await runtime.status([id], signal)).get(id)
}

function listening(status: Awaited<ReturnType<typeof statusOf>>): boolean {
  return status?.is === 'running' && status.listening
}
