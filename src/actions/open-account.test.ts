import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { digestOf } from '../model/token.ts'
import { accountOfToken, removeAuthorizations } from '../store/accounts.ts'
import { createTeam } from './create-team.ts'
import { issueToken } from './issue-token.ts'
import { openAccount } from './open-account.ts'
import { requireAccount } from './require-account.ts'

const pool = aDatabase()
const name = null

test('an account comes with a token, however its address is written', async () => {
  const token = await openAccount(pool, { email: 'Ann@Example.com', name })
  const bearer = await accountOfToken(pool, digestOf(token))
  assert.deepEqual([bearer?.email, bearer?.scope], ['ann@example.com', ['global']])
  await assert.rejects(
    openAccount(pool, { email: 'ann@example.COM', name }),
    /has an account already/,
  )
  const ann = await requireAccount(pool, 'ANN@example.com')
  const another = await issueToken(pool, ann)
  assert.equal((await accountOfToken(pool, digestOf(another)))?.id, ann.id)
  assert.equal(await removeAuthorizations(pool, ann.id), 2)
  assert.equal(await accountOfToken(pool, digestOf(another)), undefined)
})

for (const [email, fault] of [
  ['ann', /no e-mail address/],
  ['an n@example.com', /no e-mail address/],
  ['crew@herokumanager.com', /would be a team's/],
] as const) {
  test(`${email} is refused`, async () => {
    await assert.rejects(openAccount(pool, { email, name }), fault)
  })
}

test('a team is no account that anybody can be', async () => {
  await openAccount(pool, { email: 'admin@example.com', name })
  const admin = await requireAccount(pool, 'admin@example.com')
  const team = await createTeam(pool, { name: 'crew', admin })
  for (const identity of [team.id, 'crew@herokumanager.com']) {
    await assert.rejects(requireAccount(pool, identity), /There is no account/)
  }
  for (const taken of ['crew', 'apps', 'Crew', 'permissions']) {
    await assert.rejects(createTeam(pool, { name: taken, admin }), /Name/)
  }
})
