/** A team that goes while it is given an app. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { Account } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { HEROKU_LIMITS as limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { DEFAULT_STACK } from '../model/stack.ts'
import { emailOfTeam } from '../model/team.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { createApp } from './create-app.ts'
import { createTeam } from './create-team.ts'
import { removeTeam } from './remove-team.ts'
import { transferApp } from './transfer-app.ts'

const pool = aDatabase()

async function aTeamAndAnApp() {
  const { app, account: admin } = await anApp(pool)
  const name = `team-${newId<'team'>().slice(0, 8)}`
  const team = await inTransaction(pool, (tx) => createTeam(tx, { name, admin }))
  const owner: Account = { id: team.id, email: emailOfTeam(name) }
  const its = { name: undefined, region: app.region, stack: DEFAULT_STACK }
  return {
    remove: (tx: Queryable) => removeTeam(tx, team.id),
    create: (tx: Queryable) => createApp(tx, { account: admin, owner, ...its }, secrets),
    give: (tx: Queryable) => transferApp(tx, { app, to: owner, by: admin, limits }),
  }
}

for (const way of ['create', 'give'] as const) {
  test(`${way}: a team that just got an app stays`, async () => {
    const { remove, [way]: get } = await aTeamAndAnApp()
    mustBe(await oneAfterTheOther(pool, get, remove), 'invalid_params')
  })

  test(`${way}: one that is gone gets none`, async () => {
    const { remove, [way]: get } = await aTeamAndAnApp()
    mustBe(await oneAfterTheOther<unknown>(pool, remove, get), 'not_found')
  })
}

function mustBe(end: PromiseSettledResult<unknown>, id: Problem['id']): void {
  assert.equal(end.status, 'rejected')
  assert.ok(end.reason instanceof Problem, String(end.reason))
  assert.equal(end.reason.id, id)
}
