/** Dynos whose monitor died alone: nobody would hear of their end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, bootedAt } from '../../test/a-dyno.ts'
import { aManagedApp, ask } from '../../test/a-managed-app.ts'
import { itPlans, now, running, started, web1, worker1 } from '../../test/a-plan.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'

const pool = aDatabase()
const unmonitored = { ...running, monitored: false } as const
const young = later(bootedAt, MINUTE - 1)
const ended =
  'Error R99 (Platform error) -> The dyno is watched over no more, for its monitor died | Stopping process with SIGKILL'
const worker = { type: 'worker' }
const stopped =
  'Error R99 (Platform error) -> The dyno is watched over no more, for its monitor died | Restarting | State changed from up to starting'
const stoppedEarly = aDyno({
  state: 'stopping',
  routed: false,
  stopReason: 'host lost',
  updatedAt: young,
})

itPlans([
  [
    'a dyno whose monitor died while it started is ended',
    { dynos: [started], status: { ...unmonitored, listening: false }, now: young },
    [`web.1 → starting: ${ended}`],
  ],
  [
    '… is killed',
    {
      dynos: [{ ...started, killedAt: young, stopReason: 'host lost' }],
      status: unmonitored,
    },
    ['kill web.1'],
  ],
  [
    '… and has crashed, however long that took',
    {
      dynos: [{ ...started, killedAt: young, stopReason: 'host lost' }],
      status: { is: 'lost' },
      now,
    },
    ['web.1 → crashed: State changed from starting to crashed'],
  ],
  [
    'one that works is stopped in order',
    { formation: worker, dynos: [worker1], status: unmonitored, now: young },
    [`worker.1 → stopping: ${stopped}`],
  ],
  [
    '… and so is one that serves',
    { dynos: [web1], status: unmonitored, now: young },
    [`web.1 → stopping: ${stopped}`],
  ],
  [
    '… once the router has left it, and nobody is started in its place',
    { dynos: [{ ...stoppedEarly, routed: true }], status: unmonitored, now: young },
    [],
  ],
  [
    '… by SIGTERM',
    { dynos: [stoppedEarly], status: unmonitored, now: young },
    ['web.1 → stopping: Stopping all processes with SIGTERM'],
  ],
  [
    '… and has crashed, however long that took',
    { dynos: [{ ...stoppedEarly, exitedAt: now }], status: undefined, now },
    ['web.1 → crashed: State changed from starting to crashed'],
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

/** Whose monitors are dead is told by `without`. */
async function aWorld(without: (id: DynoId) => boolean) {
  const world = await aManagedApp(pool)
  const { it, runtime } = world
  const status = runtime.status.bind(runtime)
  runtime.status = async (ids, signal) =>
    new Map(
      [...(await status(ids, signal))].map(([id, its]) => [
        id,
        its.is === 'running' && without(id) ? { ...its, monitored: false } : its,
      ]),
    )
  await it.deploy()
  await ask(pool, it, 'quantity = 1')
  return world
}

test('a place whose monitors die again and again waits longer and longer', async () => {
  const { runtime, settle, wait } = await aWorld(() => true)
  runtime.kill = async (id) => runtime.lose(id)
  const [first] = await settle('worker')
  assert.deepEqual([first?.state, first?.crashes], ['crashed', 2])
  wait(12 * SECOND)
  const [next] = await settle('worker')
  assert.deepEqual([next?.state, next?.crashes], ['crashed', 3])
})

test('one that was up has crashed once it is gone, and is told of as that', async () => {
  const dead = new Set<DynoId>()
  const { it, settle } = await aWorld((id) => dead.has(id))
  const [up] = await settle()
  assert.ok(up?.state === 'up')
  dead.add(up.id)
  const [next] = await settle()
  assert.deepEqual([next?.state, next?.crashes, next?.id === up.id], ['up', 1, false])
  const { rows } = await pool.query<{ kind: string }>(
    `select kind from events where dyno = $1 and cause = 'host lost'
      order by kind`,
    [up.id],
  )
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['dyno.crashed', 'dyno.down', 'dyno.exited'],
  )
  const told = (await it.told()).join(' ')
  assert.match(told, /SIGTERM/)
  assert.doesNotMatch(told, /SIGKILL/)
})
