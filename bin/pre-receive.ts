/** Git's pre-receive hook, started by git http-backend for every push. */

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

import { mayStillPush } from '../src/builds/may-still-push.ts'
import { readPushedRefs } from '../src/builds/pushed-refs.ts'
import { receivePush } from '../src/builds/receive-push.ts'
import { dataDirectory } from '../src/installation/data-directory.ts'
import { databaseConfig, openPool } from '../src/installation/database.ts'
import { boundLog } from '../src/installation/part-log.ts'
import { roleOf } from '../src/installation/roles.ts'
import { jsonLog } from '../src/lib/log.ts'
import type { AccountId } from '../src/model/ids.ts'
import { Problem } from '../src/model/problem.ts'
import { accountDetails, type AuthorizationId } from '../src/store/accounts.ts'
import { findApp } from '../src/store/apps.ts'

const {
  MAYFLY_DATA,
  MAYFLY_APP,
  MAYFLY_ACCOUNT,
  MAYFLY_AUTHORIZATION,
  DATABASE_URL,
  ...environment
} = process.env
const data = dataDirectory(MAYFLY_DATA ?? '')
const pool = openPool(databaseConfig(data, DATABASE_URL, roleOf('git')), 1)
// Git shows standard error to whoever pushes, so what is not for them goes to a file.
const log = jsonLog('pre-receive', (line) => {
  const file = join(data.run('git'), 'pre-receive.log')
  boundLog(file, () => {})
  appendFileSync(file, line, { mode: 0o600 })
})
// Whoever pushed has gone: the build goes on without a reader.
process.stdout.on('error', () => process.exit(1))

try {
  process.exitCode = (await accepted()) ? 0 : 1
} catch (error) {
  const isTheirs = error instanceof Problem
  const words = isTheirs
    ? error.message
    : 'Internal error: the push could not be built. Try again.'
  process.stdout.write(` !     ${words}\n`)
  if (!isTheirs) log.error('a push could not be built', error, { app: MAYFLY_APP })
  process.exitCode = 1
}
await pool.end()

async function accepted(): Promise<boolean> {
  const refs = await readPushedRefs(process.stdin)
  const app = await findApp(pool, MAYFLY_APP ?? '')
  if (!app) throw new Problem('not_found', `Couldn't find that app.`)
  if (!(await mayStillPush(pool, MAYFLY_AUTHORIZATION as AuthorizationId, app.id))) {
    throw new Problem('forbidden', 'You may not deploy this app any more.')
  }
  return receivePush(refs, {
    pool,
    data,
    app,
    account: await accountDetails(pool, MAYFLY_ACCOUNT as AccountId),
    gitEnvironment: environment,
    print: (it) => void process.stdout.write(it),
  })
}
