/** Real dynos that eat memory: what the kernel counts, what it kills, and what is made of it. */

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { MiB } from '../src/lib/bytes.ts'
import { type Clock, HOUR, later } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import type { DynoId } from '../src/model/ids.ts'
import { HEROKU_SIZES, type Size, sizeNamed } from '../src/model/size.ts'
import { watchMemory } from '../src/manager/watch-memory.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { aLocalMachine, type LocalMachine } from './a-local-machine.ts'
import { managerDeps } from './a-managed-app.ts'
import { aRunningDyno } from './a-running-dyno.ts'
import { anApp, type AnApp } from './an-app.ts'
import { aDatabase } from './postgres.ts'
import { until } from './until.ts'

const startedAt = new Date('2026-01-01T00:00:00Z')
const clock: Clock = { now: () => later(startedAt, HOUR) }
const { signal } = new AbortController()

const sizes = HEROKU_SIZES.map((it) => ({
  ...it,
  memory: 32 * MiB,
  hardMemory: 96 * MiB,
}))
const pool = aDatabase()
let machine: LocalMachine
let runtime: LocalRuntime
let own: AnApp
let look: () => Promise<number>

suite('the memory of dynos', () => {
  before(async () => {
    machine = await aLocalMachine()
    runtime = new LocalRuntime(machine.options)
    await runtime.prepare(signal)
    own = await anApp(pool)
    await own.deploy()
    const watch = watchMemory({
      ...managerDeps(pool, runtime, clock),
      region: 'us',
      sizes: () => sizes,
      log: silentLog,
    })
    look = () => watch('us', signal)
  })

  after(() => machine.close())

  test('memory that is used is R14; what files left in the cache is not', async () => {
    const eater = await started(python(`x = bytearray(48 * 1024 ** 2)`))
    const reader = await started(
      `head -c 60000000 /dev/zero > /app/file; cat /app/file > /dev/null; echo; sleep 1000`,
    )
    const writer = await started(
      `head -c 40000000 /dev/zero > /tmp/file; echo; sleep 1000`,
    )
    await until('all have what they want', async () => {
      const uses = await runtime.usage([eater, reader, writer], signal)
      return (
        (uses.get(eater)?.rss ?? 0) > 48 * MiB &&
        (uses.get(reader)?.cache ?? 0) > 50 * MiB &&
        (uses.get(writer)?.shared ?? 0) > 38 * MiB
      )
    })
    await look()
    const { rows } = await pool.query<{ dyno: DynoId }>(
      `select dyno from events where kind = 'dyno.over-quota' order by ps`,
    )
    assert.deepEqual(
      rows.map((row) => row.dyno),
      [eater, writer],
    )
    for (const id of [eater, reader, writer]) await runtime.remove(id, signal)
  })

  test('a dyno whose child is killed for memory ends with it, as out of memory', async () => {
    const child = python('x = bytearray(200 * 1024 ** 2)')
    const id = await started(`${child}; echo survived; sleep 1000`)
    await until('the kernel has killed the child', async () => {
      const use = (await runtime.usage([id], signal)).get(id)
      return use?.outOfMemory ?? false
    })
    assert.equal((await runtime.status([id], signal)).get(id)?.is, 'running')
    await look()
    await until('the dyno has ended', async () => {
      const status = (await runtime.status([id], signal)).get(id)
      return status?.is === 'exited' && status.outOfMemory && status.status === 137
    })
    await runtime.remove(id, signal)
  })
})

function python(statement: string): string {
  return `python3 -c '${statement}; import time; print(1, flush=True); time.sleep(1000)'`
}

let count = 0

async function started(command: string): Promise<DynoId> {
  const formation = await own.formation('web')
  const id = await aRunningDyno(pool, { app: own.app, formation }, startedAt)
  const address = machine.address(count++)
  const size: Size | undefined = sizeNamed('standard-1x', sizes)
  assert.ok(size)
  await runtime.start(
    {
      id,
      name: 'web.1',
      address,
      size,
      environment: { PATH: '/usr/bin:/bin' },
      command,
      stack: 'debian-12',
      volumes: [],
    },
    signal,
  )
  return id
}
