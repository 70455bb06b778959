/** What is done before dynos start takes turns by who answers for their apps: nobody has more of them by teams. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createTeam } from '../actions/create-team.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { changeOwner } from './apps.ts'
import { formationFacts } from './formations.ts'
import { findOneOff } from './one-offs.ts'
import { inTransaction } from './queryable.ts'

const pool = aDatabase()

test('dynos of a team are of the tenant who founded it', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'node index.js' })
  const web = await made.formation('web')
  const wish = {
    app: app.id,
    account,
    command: 'true',
    attach: undefined,
    environment: {},
    size: undefined,
    type: undefined,
    timeToLive: undefined,
  }
  const { dyno } = await inTransaction(pool, (tx) =>
    runDyno(tx, wish, { secrets, limits: HEROKU_LIMITS }),
  )
  const tenants = async () => [
    (await formationFacts(pool, web))?.tenant,
    (await findOneOff(pool, dyno.id))?.tenant,
  ]
  assert.deepEqual(await tenants(), [account.id, account.id])

  const give = (name: string, limits?: typeof HEROKU_LIMITS) =>
    inTransaction(pool, async (tx) => {
      const team = await createTeam(tx, { name, admin: account }, limits)
      await changeOwner(tx, app.id, team.id)
      return team
    })
  await give('founded', HEROKU_LIMITS)
  assert.deepEqual(await tenants(), [account.id, account.id])
  // One that the operator made counts for itself.
  const { id } = await give('made')
  assert.deepEqual(await tenants(), [id, id])
})
