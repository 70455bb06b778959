import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type AnApp, anApp, secrets } from '../../test/an-app.ts'
import { asRole, aDatabase } from '../../test/postgres.ts'
import { createBuild } from '../actions/create-build.ts'
import { rollback } from '../actions/rollback.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { setConfigVars } from '../actions/set-config-vars.ts'
import { roleOf } from '../installation/roles.ts'
import { DAY, later } from '../lib/clock.ts'
import type { BuildId } from '../model/ids.ts'
import { KEPT_HISTORY, type KeptHistory } from '../model/kept-history.ts'
import { buildsOf, fail } from '../store/builds.ts'
import { writeWish } from '../store/events.ts'
import {
  FORGOTTEN_UNDER_LOCK,
  forgetLongCommands,
  forgetWhatOneOffsWereGiven,
} from '../store/histories.ts'
import { appendOutput, outputFrom, type Printer } from '../store/output.ts'
import { inTransaction } from '../store/queryable.ts'
import { releasesOf } from '../store/releases.ts'
import { pruneHistories } from './prune-histories.ts'

const pool = aDatabase()

/** By a manager of the region, at this time. */
async function prune(but: Partial<KeptHistory>, now = new Date(), region = 'us') {
  const asManager = asRole(pool, roleOf('manager'))
  await forgetWhatOneOffsWereGiven(asManager, region)
  await forgetLongCommands(asManager, region)
  await pruneHistories({
    pool: asManager,
    region,
    clock: { now: () => now },
    kept: { ...KEPT_HISTORY, ...but },
  })
}

const versionsOf = async ({ app }: AnApp) =>
  (await releasesOf(pool, app.id)).map((it) => it.version)

async function configure({ app, account }: AnApp, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const changes = { N: `${n} ${Math.random()}` }
    await inTransaction(pool, (tx) =>
      setConfigVars(tx, { app: app.id, account, changes }, secrets),
    )
  }
}

async function run({ app, account }: AnApp) {
  const wish = {
    attach: undefined,
    environment: { SECRET: 'x'.repeat(10_000) },
    size: undefined,
    type: undefined,
    timeToLive: undefined,
  }
  const command = `echo ${'x'.repeat(5000)}`
  const { dyno } = await inTransaction(pool, (tx) =>
    runDyno(tx, { ...wish, app: app.id, account, command }, { secrets }),
  )
  return dyno.id
}

const end = (dyno: string, at: Date) =>
  pool.query(`update dynos set state = 'down', updated_at = $2 where id = $1`, [dyno, at])

test('old releases go, but for what may still be wanted of them', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy() // v3
  await configure(made, 2) // v4, v5
  const dyno = await run(made) // of v5
  await configure(made, 3) // v6 to v8
  await made.deploy() // v9
  await configure(made, 4) // v10 to v13
  const [before] = (await releasesOf(pool, app.id)).filter((it) => it.version === 11)
  await pool.query('update apps set current_release = $2 where id = $1', [
    app.id,
    before?.id,
  ])

  await prune({ releases: 2 }, new Date(), 'eu')
  assert.equal((await versionsOf(made)).length, 13)
  await prune({ releases: 2 })
  // A dyno's, the last of the first slug, the current one, and the newest.
  assert.deepEqual(await versionsOf(made), [5, 8, 11, 12, 13])
  const { version } = await inTransaction(pool, (tx) =>
    rollback(tx, { app: app.id, account, release: '8' }, secrets),
  )
  assert.equal(version, 14)

  // That is the last of its slug now; so is what nobody runs any more gone.
  await end(dyno, new Date())
  await prune({ releases: 2 })
  assert.deepEqual(await versionsOf(made), [5, 13, 14])
  await pool.query('delete from dynos where id = $1', [dyno])
  await prune({ releases: 2 })
  assert.deepEqual(await versionsOf(made), [13, 14])
})

test('of very many releases all that are too old go', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await pool.query(
    `insert into releases (id, app, version, status, description, account, config_vars)
     select gen_random_uuid(), $1, n + 10, 'succeeded', 'One of many', $2, ''
       from generate_series(1, $3) as n`,
    [app.id, account.id, 2 * FORGOTTEN_UNDER_LOCK + 100],
  )
  await prune({ releases: 50 })
  const versions = await versionsOf(made)
  // The current one, and the newest.
  assert.deepEqual([versions.length, versions[0]], [51, 2])
})

test('a pending release stays, with what it printed', async () => {
  const made = await anApp(pool)
  await made.deploy({ web: 'node index.js', release: 'node migrate.js' })
  const pending = (await releasesOf(pool, made.app.id)).at(-1)
  assert.ok(pending?.status === 'pending')
  const release = pending.id
  await appendOutput(pool, { release }, 'migrating')
  await prune({ releases: 0, outputs: 0 })
  assert.ok((await versionsOf(made)).includes(3))
  assert.equal((await outputFrom(pool, { release }, 0)).length, 1)
  await pool.query(`update releases set status = 'failed' where id = $1`, [release])
  await prune({ outputs: 0 })
  assert.equal((await outputFrom(pool, { release }, 0)).length, 0)
})

async function manyBuilds({ app, account }: AnApp, count: number): Promise<BuildId[]> {
  const ids: BuildId[] = []
  for (let n = 0; n < count; n += 1) {
    const { id } = await inTransaction(pool, (tx) =>
      createBuild(tx, { app, account, source: null, sourceUrl: Buffer.from('sealed') }),
    )
    await appendOutput(pool, { build: id }, 'x'.repeat(1000))
    ids.push(id)
  }
  return ids
}

const isKept = async (printer: Printer) => (await outputFrom(pool, printer, 0)).length > 0

test('old builds go, and sooner what they printed', async () => {
  const made = await anApp(pool)
  const ids = await manyBuilds(made, 6)
  const [underWay = '' as BuildId, ...over] = ids
  for (const id of over) await fail(pool, id, 'It failed.')
  const kept = async () => {
    const outputs = await Promise.all(ids.map((build) => isKept({ build })))
    const builds = (await buildsOf(pool, made.app.id)).map((it) => it.id)
    return [
      ids.flatMap((id, n) => (builds.includes(id) ? [n] : [])),
      ids.flatMap((_, n) => (outputs[n] ? [n] : [])),
    ]
  }
  const all = [0, 1, 2, 3, 4, 5]
  await prune({})
  assert.deepEqual(await kept(), [all, all])
  await prune({ outputs: 4 })
  assert.deepEqual(await kept(), [all, [0, 2, 3, 4, 5]])
  await prune({ outputBytes: 3500 })
  assert.deepEqual(await kept(), [all, [0, 3, 4, 5]])
  await prune({ builds: 2 })
  assert.deepEqual(await kept(), [
    [0, 4, 5],
    [0, 4, 5],
  ])
  await prune({}, later(new Date(), 31 * DAY))
  assert.deepEqual(await kept(), [[0, 4, 5], [0]])
  assert.ok(await isKept({ build: underWay }))
})

test('what a one-off was given goes once it has ended', async () => {
  const made = await anApp(pool)
  await made.deploy()
  const [running, ended] = [await run(made), await run(made)]
  const now = new Date()
  await end(ended, now)
  await prune({})
  const sizes = async (id: string) => {
    const { rows } = await pool.query<{ sizes: number[] }>(
      `select array[octet_length(environment) > 10000, octet_length(command) > 5000]::int[] as sizes
         from dynos join one_offs on dyno = id where id = $1`,
      [id],
    )
    return rows[0]?.sizes
  }
  assert.deepEqual(await sizes(running), [1, 1])
  assert.deepEqual(await sizes(ended), [0, 0])
  const { rows } = await pool.query<{ environment: Buffer; command: string }>(
    'select environment, command from dynos join one_offs on dyno = id where id = $1',
    [ended],
  )
  assert.equal(rows[0]?.environment.length, 0)
  assert.match(rows[0]?.command ?? '', /^echo x+$/)
})

test('the command of a dyno of a formation is cut as it is down, too', async () => {
  const made = await anApp(pool)
  await made.deploy({ web: `node ${'x'.repeat(5000)}`, worker: 'node work.js' })
  const { rows: before } = await pool.query<{ id: string }>(
    `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                        state, address, port, created_at, updated_at)
     select gen_random_uuid(), app, formations.id, current_release, 'us', type,
            ordinal, 'Basic', command, case ordinal when 1 then 'up' else 'down' end,
            '10.0.0.0'::inet + ordinal, 5000, now(), now()
       from formations join apps on apps.id = app, generate_series(1, 2) as ordinal
      where app = $1 and type = 'web' returning id`,
    [made.app.id],
  )
  assert.equal(before.length, 2)
  await prune({})
  const { rows } = await pool.query<{ state: string; command: string }>(
    'select state, command from dynos where app = $1 order by ordinal',
    [made.app.id],
  )
  assert.deepEqual(
    rows.map((it) => [it.state, it.command.length]),
    [
      ['up', 5005],
      ['down', 200],
    ],
  )
})

/** What the rows of the app's say, oldest first. */
async function told(table: 'events' | 'webhook_events', { app }: AnApp) {
  const [order, text] = table === 'events' ? ['id', 'message'] : ['seq', 'payload::text']
  const { rows } = await pool.query<{ text: string }>(
    `select ${text} as text from ${table} where app = $1 order by ${order}`,
    [app.id],
  )
  return rows.map((it) => it.text)
}

test('of an app`s events, and of what its webhooks were told, the newest are kept', async () => {
  const [made, other] = [await anApp(pool), await anApp(pool)]
  for (const { app } of [made, other]) await webhookEvents(app.id, 3)
  for (const { app } of [made, other, made, made]) {
    const message = String(Math.random())
    const kind = 'access.changed'
    await inTransaction(pool, (tx) => writeWish(tx, { app: app.id, kind, message }))
    await webhookEvents(app.id, 1)
  }
  for (const [table, which] of [
    ['events', 'events'],
    ['webhook_events', 'webhookEvents'],
  ] as const) {
    const [all, others] = [await told(table, made), await told(table, other)]
    assert.ok(all.length > others.length && others.length > 0)
    await prune({ [which]: others.length })
    assert.deepEqual(await told(table, made), all.slice(-others.length))
    assert.deepEqual(await told(table, other), others)
  }
})

async function webhookEvents(app: string, count: number): Promise<void> {
  await pool.query(
    `insert into webhook_events (id, app, include, payload, created_at)
     select gen_random_uuid(), $1, 'api:app', json_build_object('n', random()), now()
       from generate_series(1, $2)`,
    [app, count],
  )
}
