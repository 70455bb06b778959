import assert from 'node:assert/strict'
import { test } from 'node:test'

import { managerDeps } from '../../test/a-managed-app.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { type FormationId, newId } from '../model/ids.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { findBuild } from '../store/builds.ts'
import { lookAfterFormation } from './look-after-formation.ts'
import { whenDown } from './when-down.ts'

const pool = aDatabase()
const { signal } = new AbortController()

let now = new Date()
const clock = { now: () => now }
const noted: Date[] = []
const asked = (at: Date | undefined) =>
  whenDown({
    pool,
    region: 'us',
    clock,
    ahead: () => 0,
    noted: at,
    noteAnew: (it) => void noted.push(it),
  })

/** Of a manager that was begun on a machine where nothing runs. */
async function settled(formation: FormationId, downAt?: Date) {
  const runtime = new MemoryRuntime(clock)
  const deps = managerDeps(pool, runtime, clock)
  const look = lookAfterFormation({ ...deps, downAt: () => downAt })
  for (let looks = 0; (await look(formation, signal)) === 0; looks++) {
    assert.ok(looks < 100, 'it never settles')
  }
}

test('a `down` whose time does not lie ahead is what it was noted as', async () => {
  assert.equal(await asked(undefined), undefined)
  const at = later(now, -HOUR)
  assert.equal(await asked(at), at)
  assert.deepEqual(noted, [])
})

test('what a `down` ended is known, and what was started since is not, though the clock is set back', async () => {
  const own = await anApp(pool)
  const { app, account } = own
  await own.deploy()
  const web = await own.formation('web')
  await settled(web)
  const id = newId<'build'>()
  await pool.query(
    `insert into builds (id, app, account, step, source_url, stack, started_at)
     values ($1, $2, $3, 'compile', '', '', $4)`,
    [id, app.id, account.id, now],
  )
  const mark = later(now, MINUTE)
  now = later(now, -HOUR)

  const downAt = await asked(mark)
  assert.deepEqual([downAt, noted], [now, [now]])
  const startedAt = (await findBuild(pool, id))?.startedAt
  assert.deepEqual(startedAt, now)
  now = later(now, SECOND)
  await settled(web, downAt)
  const lines = await own.told('web.1')
  assert.ok(lines.includes('web.1 Restarting'), lines.join('\n'))
  assert.doesNotMatch(lines.join('\n'), /R99/)

  now = later(now, SECOND)
  await pool.query('update dynos set started_at = $2 where app = $1 and state = $3', [
    app.id,
    now,
    'up',
  ])
  await settled(web, downAt)
  assert.match((await own.told('web.1')).join('\n'), /R99/)
})
