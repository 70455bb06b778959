import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { aTenancy } from '../../../test/a-tenancy.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { digestOf } from '../../model/token.ts'
import { openLogSession } from '../../store/log-session-readers.ts'

const pool = aDatabase()

test('a session is of who asked for it, not of who owns the app', async () => {
  const { call } = await anApi(pool)
  const { accounts, tokens } = await aTenancy(pool)
  for (const who of ['owner', 'collaborator'] as const) {
    const authorization = `Bearer ${tokens[who]}`
    const url = '/apps/personal-app/log-sessions'
    const { status, body } = await call(`POST ${url}`, { lines: 9000 }, { authorization })
    assert.equal(status, 201)
    const token = String(body['logplex_url']).split('/').at(-1) ?? ''
    const session = await openLogSession(pool, digestOf(token))
    assert.deepEqual([session?.account, session?.lines], [accounts[who].id, 1500])
  }
})
