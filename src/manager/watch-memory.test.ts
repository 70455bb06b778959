import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { managerDeps } from '../../test/a-managed-app.ts'
import { aRunningDyno } from '../../test/a-running-dyno.ts'
import { anApp, type AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { MiB } from '../lib/bytes.ts'
import { type Clock, HOUR, later, MINUTE } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { DynoId } from '../model/ids.ts'
import { HEROKU_SIZES, sizeNamed } from '../model/size.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { putFeature } from '../store/app-features.ts'
import { platformMetrics } from '../store/metrics.ts'
import { watchMemory } from './watch-memory.ts'

const startedAt = new Date('2026-01-01T00:00:00Z')
let now = later(startedAt, HOUR)
const clock: Clock = { now: () => now }
const { signal } = new AbortController()

const pool = aDatabase()
let runtime: MemoryRuntime
let own: AnApp
let look: () => Promise<number>

beforeEach(async () => {
  await pool.query('update dynos set state = $1', ['down'])
  runtime = new MemoryRuntime(clock)
  own = await anApp(pool)
  const watch = watchMemory({
    ...managerDeps(pool, runtime, clock),
    region: 'us',
    sizes: () => HEROKU_SIZES,
    log: silentLog,
  })
  look = () => watch('us', signal)
})

test('R14 is told with each sample while it is true, and is one event', async () => {
  await own.deploy()
  const id = await started()
  runtime.use(id, { rss: 500 * MiB, cache: 400 * MiB })
  await look()
  assert.deepEqual(await told(), [])

  runtime.use(id, { rss: 601 * MiB })
  await look()
  await look()
  const pair = ['Process running mem=601M(117.4%)', 'Error R14 (Memory quota exceeded)']
  assert.deepEqual(await told(), [...pair, ...pair])
  assert.deepEqual(await events(), ['dyno.over-quota'])

  runtime.use(id, { rss: 100 * MiB })
  await look()
  assert.equal((await told()).length, 4)
})

test('what a dyno uses is there for those who watch over the installation', async () => {
  await own.deploy()
  const id = await started()
  const memory = async () =>
    (await platformMetrics(pool, new Date())).memory.map((it) => it.used / MiB)
  runtime.use(id, { rss: 100 * MiB, shared: 20 * MiB, cache: 400 * MiB })
  await look()
  assert.deepEqual(await memory(), [120])
  runtime.use(id, { rss: 90 * MiB, shared: 0 })
  await look()
  assert.deepEqual(await memory(), [90])
  await pool.query(`update dynos set state = 'down'`)
  assert.deepEqual(await memory(), [])
})

test('a dyno above the share its app set is restarted, once', async () => {
  await own.deploy({ web: 'x' }, { MAYFLY_MEMORY_RESTART: '90' })
  const [heavy, light] = [await started(), await started()]
  runtime.use(heavy, { rss: 470 * MiB })
  runtime.use(light, { rss: 100 * MiB })
  await pool.query('delete from work')
  await look()
  await look()
  const { rows } = await pool.query<{ id: DynoId }>(
    `select id from dynos where restart_because = 'memory' and restart_requested_at is not null`,
  )
  assert.deepEqual(rows, [{ id: heavy }])
  assert.deepEqual(await told(), [
    'Process running mem=470M(91.8%)',
    'Memory is above 90% of the quota (MAYFLY_MEMORY_RESTART)',
  ])
  const work = await pool.query<{ subject: string }>(
    `select subject from work where kind = 'formation'`,
  )
  assert.deepEqual(work.rows, [{ subject: await own.formation('web') }])
})

test('what is left of a dyno that lost a process to the kernel is ended', async () => {
  await own.deploy()
  const id = await started()
  runtime.use(id, { rss: 1100 * MiB, outOfMemory: true })
  await look()
  const status = (await runtime.status([id], signal)).get(id)
  assert.ok(status?.is === 'exited' && status.outOfMemory)
  assert.deepEqual(await told(), [])
})

test('metrics are told to those who want them', async () => {
  await own.deploy()
  const id = await started()
  runtime.use(id, { rss: 10 * MiB })
  await putFeature(pool, own.app.id, { name: 'log-runtime-metrics', enabled: true })
  await look()
  const [line = '', ...others] = await told()
  assert.match(
    line,
    new RegExp(`^source=web.\\d+ dyno=heroku.${own.app.id}.${id} sample#`),
  )
  assert.match(line, / sample#memory_total=10.00MB /)
  assert.deepEqual(others, [])

  runtime.work(id, 2)
  await look()
  const [, load = ''] = await told()
  assert.match(
    load,
    new RegExp(
      `^source=web.\\d+ dyno=heroku.${own.app.id}.${id} sample#load_avg_1m=0.00 sample#load_avg_5m=0.00 sample#load_avg_15m=0.00$`,
    ),
  )
  now = later(now, MINUTE)
  await look()
  assert.match(
    (await told()).at(-2) ?? '',
    / sample#load_avg_1m=1.26 sample#load_avg_5m=0.36 /,
  )
})

async function started(): Promise<DynoId> {
  const id = await aRunningDyno(
    pool,
    { app: own.app, formation: await own.formation('web') },
    startedAt,
  )
  const size = sizeNamed('Standard-1X')
  assert.ok(size)
  await runtime.start(
    {
      id,
      name: 'web.1',
      address: '10.0.0.1',
      size,
      environment: {},
      command: 'x',
      stack: 'debian-12',
      volumes: [],
    },
    signal,
  )
  return id
}

async function told(): Promise<string[]> {
  const { rows } = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and ps like 'web.%' order by id`,
    [own.app.id],
  )
  return rows.map((row) => row.message)
}

async function events(): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string }>(
    `select kind from events where app = $1 and kind like 'dyno.%' order by id`,
    [own.app.id],
  )
  return rows.map((row) => row.kind)
}
