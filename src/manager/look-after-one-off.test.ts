/** One-offs and release phases: the manager's code, the memory runtime, a real database. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { managerDeps } from '../../test/a-managed-app.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { destroyApp } from '../actions/destroy-app.ts'
import { runDyno, type RunWish } from '../actions/run-dyno.ts'
import { setConfigVars } from '../actions/set-config-vars.ts'
import { stopDynos } from '../actions/stop-dynos.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'
import { placeOf } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import type { ShownDyno } from '../model/serialize-dyno.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../runtime/memory/memory-runtime.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { dynosOf } from '../store/app-dynos.ts'
import { keepersOf } from '../store/dynos.ts'
import { outputFrom } from '../store/output.ts'
import { inTransaction } from '../store/queryable.ts'
import { currentConfigVars, releasesOf } from '../store/releases.ts'
import { lookAfterOneOff } from './look-after-one-off.ts'

const pool = aDatabase()
const { signal } = new AbortController()

const detached = {
  command: 'rake db',
  attach: undefined,
  environment: {},
  size: undefined,
  type: undefined,
  timeToLive: undefined,
}

/** One app; all its one-offs are looked at until nobody has anything to do. */
async function aWorld(options: MemoryRuntimeOptions = {}) {
  let ahead = 0
  const clock = { now: () => later(new Date(), ahead) }
  const runtime = new MemoryRuntime(clock, options)
  const aManager = () =>
    lookAfterOneOff({ ...managerDeps(pool, runtime, clock), ahead: () => 0 })
  let look = aManager()
  const it = await anApp(pool)
  const { app, account } = it
  const live = async () => (await dynosOf(pool, app.id)).filter((dyno) => dyno.isOneOff)

  return {
    it,
    runtime,
    live,
    settle: async (): Promise<void> => {
      // One that ends may be what another waited for.
      for (let looks = 0, isBusy = true; isBusy; looks++) {
        assert.ok(looks < 50, 'it never settles')
        const delays: number[] = []
        for (const { id } of await live()) delays.push(await look(id, signal))
        isBusy = delays.includes(0)
      }
    },
    look: (id: DynoId) => look(id, signal),
    /** The manager dies, and after so many milliseconds another begins. */
    standStill: (milliseconds: number): void => {
      ahead += milliseconds
      look = aManager()
    },
    run: async (wish: Partial<RunWish> = {}): Promise<ShownDyno> => {
      const whole = { ...detached, ...wish, app: app.id, account }
      const made = await inTransaction(pool, (tx) => runDyno(tx, whole, { secrets }))
      return made.dyno
    },
    config: (changes: Record<string, string>) =>
      inTransaction(pool, (tx) =>
        setConfigVars(tx, { app: app.id, account, changes }, secrets),
      ),
    wait: (milliseconds: number): void => {
      ahead += milliseconds
    },
    releases: async () =>
      (await releasesOf(pool, app.id))
        .slice(2)
        .map((one) => `v${one.version} ${one.status}`),
    current: async () => {
      const { rows } = await pool.query<{ version: number }>(
        `select version from apps join releases on releases.id = apps.current_release
          where apps.id = $1`,
        [app.id],
      )
      return rows[0]?.version
    },
    apiLog: async () => {
      const { rows } = await pool.query<{ message: string }>(
        `select message from log_lines where app = $1 and source = 'app' order by id`,
        [app.id],
      )
      return rows.map((row) => row.message)
    },
  }
}

test('a detached one-off runs once, with its own variables, and is gone', async () => {
  const { it, runtime, run, settle, live } = await aWorld()
  await it.deploy({ web: 'x' }, { MODE: 'slow', COLOUR: 'red' })
  const dyno = await run({ environment: { MODE: 'fast' } })
  assert.deepEqual(await keepersOf(pool, [dyno.id]), [
    { kind: 'one-off', subject: dyno.id },
  ])
  await settle()
  const { environment, attachment, port } = runtime.spec(dyno.id) ?? {}
  assert.equal(environment?.['MODE'], 'fast')
  assert.equal(environment['COLOUR'], 'red')
  assert.equal(environment['DYNO'], placeOf(dyno))
  assert.deepEqual([attachment, port], [undefined, undefined])
  assert.equal((await live())[0]?.state, 'up')

  runtime.exit(dyno.id, 3)
  await settle()
  assert.deepEqual(await live(), [])
  assert.deepEqual(await runtime.list(signal), [])
  const name = placeOf(dyno)
  assert.deepEqual(await it.told('run.'), [
    `${name} Starting process with command \`rake db\``,
    `${name} State changed from starting to up`,
    `${name} Process exited with status 3`,
    `${name} State changed from up to complete`,
  ])
  const { rows } = await pool.query(
    'select kind, cause from events where dyno = $1 order by id',
    [dyno.id],
  )
  assert.deepEqual(rows, [
    { kind: 'dyno.starting', cause: null },
    { kind: 'dyno.up', cause: null },
    { kind: 'dyno.stopping', cause: 'exit' },
    { kind: 'dyno.down', cause: 'exit' },
  ])
})

test('one look creates and starts it, the next says that it is up', async () => {
  const { it, run, look, runtime, live } = await aWorld()
  await it.deploy()
  const { id } = await run()
  assert.equal(await look(id), 0)
  assert.ok(runtime.spec(id))
  assert.equal(await look(id), 0)
  assert.equal((await live())[0]?.state, 'up')
})

test('one that nobody started while no manager looked is started', async () => {
  const { it, run, standStill, settle, live } = await aWorld()
  await it.deploy()
  await run()
  standStill(3 * MINUTE)
  await settle()
  assert.equal((await live())[0]?.state, 'up')
})

test('an attached one waits for its client, with whom its life ends', async () => {
  const { it, run, settle, runtime, live, wait } = await aWorld({
    heedsSighup: () => false,
  })
  await it.deploy()
  const dyno = await run({ attach: { terminal: { columns: 90, rows: 30 } } })
  await settle()
  assert.equal(runtime.spec(dyno.id), undefined)

  await clientOf(dyno, 'attached_at')
  await settle()
  assert.deepEqual(runtime.spec(dyno.id)?.attachment, {
    terminal: { columns: 90, rows: 30 },
  })
  await clientOf(dyno, 'detached_at')
  wait(SECOND)
  for (let passed = 0; passed < 4; passed++) {
    await settle()
    wait(5 * SECOND)
  }
  assert.equal((await live())[0]?.state, 'up')
  runtime.exit(dyno.id, 129)
  await settle()
  const gone = 'Client connection closed. Sending SIGHUP to all processes'
  assert.deepEqual(
    (await it.told('run.')).map((line) => line.slice(placeOf(dyno).length + 1)),
    [
      'Awaiting client',
      'Starting process with command `rake db`',
      'State changed from starting to up',
      gone,
      gone,
      gone,
      'Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.',
      'Process exited with status 129',
      'State changed from up to complete',
    ],
  )
  assert.deepEqual(await live(), [])
})

test('a client that does not come within half a minute is R13', async () => {
  const { it, run, settle, live, wait } = await aWorld()
  await it.deploy()
  const dyno = await run({ attach: { terminal: null } })
  await settle()
  wait(30 * SECOND)
  await settle()
  assert.deepEqual(await live(), [])
  assert.equal(
    (await it.told('run.'))[1],
    `${placeOf(dyno)} Error R13 (Attach error) -> Failed to attach to process`,
  )
})

test('its time to live ends it', async () => {
  const { it, run, settle, live, wait } = await aWorld()
  await it.deploy()
  await run({ timeToLive: 60 })
  await settle()
  wait(59 * SECOND)
  await settle()
  assert.equal((await live()).length, 1)
  wait(2 * SECOND)
  await settle()
  assert.deepEqual(await live(), [])
})

test('ps:stop ends it, by name or by type', async () => {
  const { it, run, settle, live } = await aWorld()
  await it.deploy()
  const [one] = [await run(), await run(), await run()]
  await settle()
  await inTransaction(pool, (tx) =>
    stopDynos(tx, it.app, { dyno: placeOf(one) }, it.account),
  )
  await settle()
  assert.equal((await live()).length, 2)
  await inTransaction(pool, (tx) => stopDynos(tx, it.app, { type: 'run' }, it.account))
  await settle()
  assert.deepEqual(await live(), [])
})

test('it ends with its app', async () => {
  const { it, run, settle, runtime, live } = await aWorld()
  await it.deploy()
  await run()
  await settle()
  await inTransaction(pool, (tx) => destroyApp(tx, it.app, it.account))
  await settle()
  assert.deepEqual(await live(), [])
  assert.deepEqual(await runtime.list(signal), [])
})

const releasing = { web: 'x', release: 'bash migrate' }

test('a release is current once its command has succeeded', async () => {
  const { it, settle, runtime, live, releases, current, apiLog } = await aWorld()
  await it.deploy(releasing)
  assert.deepEqual([await releases(), await current()], [['v3 pending'], 2])
  await settle()
  const [dyno] = await live()
  assert.equal(dyno?.type, 'release')
  runtime.print(dyno.id, 'migrating\n')
  runtime.exit(dyno.id, 0)
  await settle()
  assert.deepEqual([await releases(), await current()], [['v3 succeeded'], 3])
  assert.deepEqual(await live(), [])
  const by = 'by user dev@example.com'
  const log = await apiLog()
  assert.match(log.at(-4) ?? '', /^Deploy /)
  assert.deepEqual(log.slice(-3), [
    `Running release v3 commands ${by}`,
    `Release v3 created ${by}`,
    `Scaled to web@1:Standard-1X ${by}`,
  ])
  const [release] = (await releasesOf(pool, it.app.id)).slice(-1)
  assert.ok(release?.hasReleasePhase)
  const pieces = await outputFrom(pool, { release: release.id }, 0)
  assert.equal(pieces.map((piece) => piece.text).join(''), 'migrating\n')
})

test('one whose command fails changes nothing but the config vars', async () => {
  const { it, settle, runtime, live, releases, current, config, apiLog } = await aWorld()
  await it.deploy({ web: 'x' })
  await it.deploy(releasing)
  await settle()
  const [dyno] = await live()
  assert.ok(dyno)
  runtime.exit(dyno.id, 1)
  await settle()
  assert.deepEqual(
    [await releases(), await current()],
    [['v3 succeeded', 'v4 failed'], 3],
  )
  assert.equal(
    (await apiLog()).at(-1),
    'Release v4 command failed by user dev@example.com',
  )
  const [failed] = (await releasesOf(pool, it.app.id)).slice(-1)
  assert.equal(failed?.failure, 'The release command exited with status 1.')

  // The next release has the code that runs, which has no command.
  await config({ A: '1' })
  assert.deepEqual([(await releases()).at(-1), await current()], ['v5 succeeded', 5])
  assert.deepEqual(await currentConfigVars(pool, it.app.id, secrets), { A: '1' })
})

test('a newer release takes over, with the code of the one it found pending', async () => {
  const { it, settle, runtime, live, releases, current, config } = await aWorld()
  await it.deploy({ web: 'x' })
  await it.deploy(releasing)
  await settle()
  const [older] = await live()
  await config({ A: '1' })
  assert.deepEqual(await releases(), ['v3 succeeded', 'v4 expired', 'v5 pending'])
  await settle()
  const [newer, ...others] = await live()
  assert.ok(newer)
  assert.notEqual(newer.id, older?.id)
  assert.deepEqual(others, [])
  runtime.exit(newer.id, 0)
  await settle()
  assert.deepEqual(await releases(), ['v3 succeeded', 'v4 expired', 'v5 succeeded'])
  assert.equal(await current(), 5)
  const [released] = (await releasesOf(pool, it.app.id)).slice(-1)
  const { rows: told } = await pool.query(
    `select message from events where app = $1 and cause = 'superseded' and kind = 'release.failed'`,
    [it.app.id],
  )
  assert.deepEqual(told, [{ message: 'Release v4 superseded by v5' }])
  assert.equal(released?.slug, (await releasesOf(pool, it.app.id)).at(-2)?.slug)
})

test('its command runs once that of the other has ended, however long that takes', async () => {
  const { it, settle, runtime, live, config, releases, look, wait } = await aWorld({
    heedsSigterm: () => false,
  })
  await it.deploy({ web: 'x' })
  await it.deploy(releasing, { MAYFLY_STOP_GRACE: '300' })
  await settle()
  const [older] = await live()
  assert.ok(older)
  await config({ A: '1' })
  const newer = (await live()).find(({ id }) => id !== older.id)
  assert.ok(newer)
  await settle()
  wait(290 * SECOND)
  await settle()
  assert.equal(runtime.spec(newer.id), undefined)

  const { rows: before } = await pool.query(WAKES, [newer.id])
  runtime.exit(older.id, 0)
  await look(older.id)
  const { rows: after } = await pool.query(WAKES, [newer.id])
  assert.ok(after[0].wakes > before[0].wakes)
  await settle()
  assert.ok(runtime.spec(newer.id))
  runtime.exit(newer.id, 0)
  await settle()
  assert.deepEqual(await releases(), ['v3 succeeded', 'v4 expired', 'v5 succeeded'])
})

const WAKES = `select wakes from work where kind = 'one-off' and subject = $1`

test('a release command that does not end fails after an hour', async () => {
  const { it, settle, releases, wait } = await aWorld()
  await it.deploy(releasing)
  await settle()
  wait(60 * MINUTE)
  await settle()
  assert.deepEqual(await releases(), ['v3 failed'])
})

test('a one-off whose slug is verified for longer than a start may take is not late', async () => {
  let isVerified = false
  const { it, run, live, settle, wait } = await aWorld({
    boot: () => {
      if (isVerified) return 'waits'
      throw new RuntimeError('slug_unverified', 'it is being verified')
    },
  })
  await it.deploy()
  await run()
  for (let waited = 0; waited < 5 * MINUTE; waited += 10 * SECOND) {
    await settle()
    assert.deepEqual(
      (await live()).map(({ state }) => state),
      ['starting'],
    )
    wait(10 * SECOND)
  }
  isVerified = true
  await settle()
  assert.deepEqual(
    (await live()).map(({ state }) => state),
    ['up'],
  )
})

/** What rendezvous notes. */
async function clientOf(
  { id }: ShownDyno,
  happened: 'attached_at' | 'detached_at',
): Promise<void> {
  await pool.query(`update one_offs set ${happened} = now() where dyno = $1`, [id])
}
