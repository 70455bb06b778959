import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDynoSpec } from '../../test/a-dyno-spec.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { enterDyno } from '../actions/enter-dyno.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { MINUTE, systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { DynoId, EntryId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { digestOf } from '../model/token.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { inTransaction } from '../store/queryable.ts'
import { attachClient } from '../store/rendezvous.ts'
import { lookAfterEntry } from './look-after-entry.ts'

const pool = aDatabase()
const { signal } = new AbortController()

/** What takes longer than a moment is looked after again. */
function over(
  look: (entry: EntryId, given: AbortSignal) => Promise<number>,
  entry: EntryId,
): Promise<void> {
  return until('it is over', async () => (await look(entry, signal)) === Infinity)
}

test('a process is started inside a dyno when its client comes, and then forgotten', async () => {
  const { runtime, look, entry, dyno, secret } = await anEntry({ COLUMNS: '90' })
  const wait = await look(entry, signal)
  assert.ok(wait > 0 && wait <= MINUTE)
  assert.deepEqual(runtime.entries(dyno.id), [])

  await inTransaction(pool, (tx) => attachClient(tx, digestOf(secret)))
  await over(look, entry)
  const [started] = runtime.entries(dyno.id)
  assert.equal(started?.command, 'bash')
  assert.deepEqual(started.terminal, { columns: 90, rows: 24 })
  const { COLUMNS, COLOUR, DYNO, HOME } = started.environment
  assert.deepEqual(
    { COLUMNS, COLOUR, DYNO, HOME },
    { COLUMNS: '90', COLOUR: 'blue', DYNO: `run.${dyno.ordinal}`, HOME: '/app' },
  )
  assert.equal(await isThere(entry), false)
})

test('a dyno that ended meanwhile is not entered', async () => {
  const { runtime, look, entry, dyno, secret } = await anEntry()
  await inTransaction(pool, (tx) => attachClient(tx, digestOf(secret)))
  runtime.exit(dyno.id, 0)
  await over(look, entry)
  assert.equal(await isThere(entry), false)
})

test('a dyno in which as many run as may is not entered, and its log says so', async () => {
  const { runtime, look, entry, secret, its } = await anEntry()
  await inTransaction(pool, (tx) => attachClient(tx, digestOf(secret)))
  runtime.enter = async () => {
    throw new RuntimeError('too_many_entries', 'full')
  }
  await over(look, entry)
  assert.equal(await isThere(entry), false)
  assert.match(
    (await its.told('run.')).at(-1) ?? '',
    /^run\.\d+ No more processes are started/,
  )
})

test('a dyno that stops who enters it is not waited for, and of it one is begun at a time', async () => {
  const { runtime, look, entry, next, dyno } = await twoEntries()
  const stopped = Promise.withResolvers<void>()
  const begun: EntryId[] = []
  runtime.enter = async (_dyno, { id }) => {
    begun.push(id)
    if (begun.length === 1) await stopped.promise
  }
  assert.ok((await look(entry, signal)) > 0)
  for (const it of [entry, next]) assert.ok((await look(it, signal)) > 0)
  assert.deepEqual(begun, [entry])

  // It is too late for a client to come, and it goes on.
  await pool.query(
    `update entries set created_at = now() - interval '2 minutes' where id = $1`,
    [entry],
  )
  assert.ok((await look(entry, signal)) > 0)
  stopped.reject(new RuntimeError('failed', 'it took too long'))
  await over(look, entry)
  await over(look, next)
  assert.deepEqual(begun, [entry, next])
  assert.deepEqual(await entriesOf(dyno.id), [])
})

test('what was entered late is forgotten by itself, and the next has its turn', async () => {
  const { runtime, look, entry, next } = await twoEntries()
  const late = Promise.withResolvers<void>()
  const begun: EntryId[] = []
  runtime.enter = async (_dyno, { id }) => {
    begun.push(id)
    await late.promise
  }
  assert.ok((await look(entry, signal)) > 0)
  await pool.query(
    `update work set run_at = now() + interval '1 minute' where kind = 'entry' and subject = $1`,
    [next],
  )
  late.resolve()
  await until('no look has forgotten it', async () => !(await isThere(entry)))
  const { rows } = await pool.query(
    `select 1 from work where kind = 'entry' and subject = $1 and run_at <= now()`,
    [next],
  )
  assert.equal(rows.length, 1)
  await over(look, entry)
  await over(look, next)
  assert.deepEqual(begun, [entry, next])
})

test('a dyno that is a virtual machine is not entered, and its log says so', async () => {
  const { runtime, look, entry, secret, its } = await anEntry()
  await inTransaction(pool, (tx) => attachClient(tx, digestOf(secret)))
  runtime.enter = async () => {
    throw new RuntimeError('not_enterable', 'a virtual machine')
  }
  await over(look, entry)
  assert.equal(await isThere(entry), false)
  assert.match(
    (await its.told('run.')).at(-1) ?? '',
    /^run\.\d+ Nothing is started inside run\.\d+: it is a virtual machine/,
  )
})

test('what nobody comes for is forgotten', async () => {
  const { look, entry } = await anEntry()
  await pool.query(`update entries set created_at = now() - interval '2 minutes'`)
  await over(look, entry)
  assert.equal(await isThere(entry), false)
})

test('only a dyno that is up can be entered', async () => {
  const { enter, dyno } = await anEntry()
  const refused = inTransaction(pool, (tx) =>
    enterDyno(
      tx,
      { ...enter, dyno: { ...dyno, state: 'starting', region: 'us' } },
      secrets,
    ),
  )
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof Problem && error.id === 'invalid_params')
    return true
  })
})

/** Inside a one-off that is up. */
async function anEntry(environment: Readonly<Record<string, string>> = {}) {
  const its = await anApp(pool)
  const { app, account } = its
  await its.deploy(undefined, { COLOUR: 'blue' })
  const wish = {
    app: app.id,
    account,
    command: 'sleep 1000',
    attach: undefined,
    environment: {},
    size: undefined,
    type: undefined,
    timeToLive: undefined,
  }
  const { dyno } = await inTransaction(pool, (tx) => runDyno(tx, wish, { secrets }))
  await pool.query(`update dynos set state = 'up' where id = $1`, [dyno.id])
  const runtime = new MemoryRuntime(systemClock)
  const spec = aDynoSpec({ id: dyno.id, command: dyno.command, address: '172.30.0.2' })
  await runtime.start(spec, signal)

  const enter = {
    app: app.id,
    account,
    dyno: { ...dyno, state: 'up' as const, region: 'us' },
    command: 'bash',
    environment,
    terminal: { columns: 90, rows: 24 },
  }
  const secret = await inTransaction(pool, (tx) => enterDyno(tx, enter, secrets))
  const [entry] = await entriesOf(dyno.id)
  assert.ok(entry)
  const look = lookAfterEntry({ pool, runtime, secrets, log: silentLog })
  return { runtime, look, entry, dyno, secret, enter, its }
}

/** Of one dyno, whose clients have both come. */
async function twoEntries() {
  const its = await anEntry()
  const second = await inTransaction(pool, (tx) => enterDyno(tx, its.enter, secrets))
  for (const it of [its.secret, second]) {
    await inTransaction(pool, (tx) => attachClient(tx, digestOf(it)))
  }
  const [next] = await entriesOf(its.dyno.id, its.entry)
  assert.ok(next)
  return { ...its, next }
}

async function entriesOf(
  dyno: DynoId,
  ...others: readonly EntryId[]
): Promise<EntryId[]> {
  const { rows } = await pool.query<{ id: EntryId }>(
    'select id from entries where dyno = $1 and id <> all ($2)',
    [dyno, others],
  )
  return rows.map((it) => it.id)
}

async function isThere(entry: EntryId): Promise<boolean> {
  const { rows } = await pool.query('select 1 from entries where id = $1', [entry])
  return rows.length > 0
}
