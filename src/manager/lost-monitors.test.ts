/** Dynos whose monitor died alone: nobody would hear of their end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, bootedAt } from '../../test/a-dyno.ts'
import { aManagedApp, ask } from '../../test/a-managed-app.ts'
import { itPlans, now, running, started, worker1 } from '../../test/a-plan.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'

const pool = aDatabase()
const unmonitored = { ...running, monitored: false } as const
const young = later(bootedAt, MINUTE - 1)
const ended =
  'Error R99 (Platform error) -> The dyno is watched over no more, for its monitor died | Stopping process with SIGKILL'
const worker = { type: 'worker' }

itPlans([
  [
    'a dyno whose monitor died when it had hardly begun is ended',
    { formation: worker, dynos: [worker1], status: unmonitored, now: young },
    [`worker.1 → up: ${ended}`],
  ],
  [
    '… and one that still starts',
    { dynos: [started], status: { ...unmonitored, listening: false }, now: young },
    [`web.1 → starting: ${ended}`],
  ],
  [
    '… is killed',
    {
      formation: worker,
      dynos: [{ ...worker1, killedAt: young, stopReason: 'host lost' }],
      status: unmonitored,
    },
    ['kill worker.1'],
  ],
  [
    '… and has crashed, however long that took',
    {
      formation: worker,
      dynos: [{ ...worker1, killedAt: young, stopReason: 'host lost' }],
      status: { is: 'lost' },
      now,
    },
    ['worker.1 → crashed: State changed from up to crashed'],
  ],
  [
    'who is not wanted any more is stopped for that',
    {
      formation: { ...worker, quantity: 0 },
      dynos: [aDyno(worker)],
      status: unmonitored,
      now: young,
    },
    ['worker.1 → stopping: State changed from up to down'],
  ],
])

test('a place whose monitors die again and again waits longer and longer', async () => {
  const { it, runtime, settle, wait } = await aManagedApp(pool)
  const status = runtime.status.bind(runtime)
  runtime.status = async (ids, signal) =>
    new Map(
      [...(await status(ids, signal))].map(([id, its]) => [
        id,
        its.is === 'running' ? { ...its, monitored: false } : its,
      ]),
    )
  runtime.kill = async (id) => runtime.lose(id)
  await it.deploy()
  await ask(pool, it, 'quantity = 1')
  const [first] = await settle('worker')
  assert.deepEqual([first?.state, first?.crashes], ['crashed', 2])
  wait(12 * SECOND)
  const [next] = await settle('worker')
  assert.deepEqual([next?.state, next?.crashes], ['crashed', 3])
})
