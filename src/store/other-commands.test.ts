import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { rowsRead } from '../../test/rows-read.ts'
import type { DynoId } from '../model/ids.ts'
import { findOneOff } from './one-offs.ts'

const pool = aDatabase()

/** An app with the command of a release that waits for its turn. */
async function aWaitingCommand() {
  const own = await anApp(pool)
  await own.deploy({ web: 'x', release: 'migrate' })
  const { rows } = await pool.query<{ id: DynoId }>(
    `select id from dynos where app = $1 and type = 'release'`,
    [own.app.id],
  )
  const id = rows[0]?.id
  assert.ok(id)
  const others = async () => (await findOneOff(pool, id))?.otherCommands
  return { own, id, others }
}

/** Commands of other releases of the app, that ended so many seconds after this one was made. */
async function commands(
  { own, id }: { own: AnApp; id: DynoId },
  count: number,
  { state, after }: { state: string; after: number },
): Promise<void> {
  await pool.query(
    `with made as (
       insert into releases (id, app, version, status, description, account, config_vars)
       select gen_random_uuid(), app, latest + n, 'expired', '', account, ''
         from (select app, account, max(version) as latest from releases
                where app = $1 group by app, account) as its,
              generate_series(1, $3::integer) as n
       returning id, version, account),
     ended as (
       insert into dynos (id, app, release, region, type, ordinal, size, command, state,
                          address, port, created_at, exited_at, updated_at)
       select made.id, d.app, d.release, d.region, 'release', 10000 + made.version, d.size, '',
              $4, '10.0.0.0'::inet + made.version, 5000, d.created_at,
              case when $4 in ('stopping', 'down') then at end, at
         from dynos d, made,
              lateral (select d.created_at + make_interval(secs => $5) as at) as its
        where d.id = $2)
     insert into one_offs (dyno, account, environment, release_phase)
     select id, account, '', id from made`,
    [own.app.id, id, count, state, after],
  )
}

test('who waits for its turn finds another command, and when it ended', async () => {
  const waiting = await aWaitingCommand()
  const none = { run: false, endedAt: null }
  assert.deepEqual(await waiting.others(), none)
  await commands(waiting, 1, { state: 'down', after: -60 })
  assert.deepEqual(await waiting.others(), none)
  await commands(waiting, 1, { state: 'down', after: 60 })
  const ended = await waiting.others()
  assert.deepEqual([ended?.run, ended?.endedAt !== null], [false, true])
  await commands(waiting, 1, { state: 'up', after: 120 })
  assert.deepEqual(await waiting.others(), { ...ended, run: true })
})

test('what ended before it, or ends while it runs, is not read at every look', async () => {
  const waiting = await aWaitingCommand()
  const ask = () => rowsRead(pool, (db) => findOneOff(db, waiting.id))
  const few = await ask()
  await commands(waiting, 10_000, { state: 'down', after: -60 })
  await pool.query('vacuum analyze dynos, one_offs')
  const whileItWaits = await ask()
  await commands(waiting, 10_000, { state: 'down', after: 60 })
  await pool.query(`update dynos set state = 'up' where id = $1`, [waiting.id])
  await pool.query('vacuum analyze dynos, one_offs')
  const whileItRuns = await ask()
  for (const rows of [whileItWaits, whileItRuns]) {
    assert.ok(rows <= few + 5, `${rows} rows were read, not ${few}`)
  }
})
