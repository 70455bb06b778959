import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import type { Queryable } from '../store/queryable.ts'
import { runDyno } from './run-dyno.ts'
import { setConfigVars } from './set-config-vars.ts'

const pool = aDatabase()
const limits = {
  ...HEROKU_LIMITS,
  sizes: HEROKU_LIMITS.sizes.map((it) => ({ ...it, oneOffs: 1 })),
}

async function aDeployedApp() {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'node index.js' })
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
  return {
    app: app.id,
    account,
    run: (tx: Queryable) => runDyno(tx, wish, { secrets, limits }),
  }
}

test('a command asked for during a release runs on that release', async () => {
  const { app, account, run } = await aDeployedApp()
  const changes = { MODE: 'fast' }
  const end = await oneAfterTheOther(
    pool,
    (tx) => setConfigVars(tx, { app, account, changes }, secrets),
    run,
  )
  assert.equal(end.status === 'fulfilled' && end.value.dyno.release.version, 4)
})

test('of two commands asked for at once, a limit of one lets one run', async () => {
  const { run } = await aDeployedApp()
  const end = await oneAfterTheOther(pool, run, run)
  assert.equal(end.status === 'rejected' && end.reason.id, 'cannot_run_above_limit')
})
