/** Nobody comes by an app unasked, whatever others make them: a collaborator, or a team's member. */

import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { type AnApi, anApi } from '../../../test/an-api.ts'
import { aTenancy, type Caller, type Tenancy } from '../../../test/a-tenancy.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { HEROKU_LIMITS } from '../../model/limits.ts'

interface Shown {
  readonly id: string
  readonly state: string
  readonly team: { readonly name: string } | null
  readonly owner: { readonly email: string }
}

suite('apps that are given away unasked', () => {
  const pool = aDatabase()
  let api: AnApi
  let tenancy: Tenancy

  before(async () => {
    api = await anApi(pool, { limits: { ...HEROKU_LIMITS, appsPerAccount: 3 } })
    tenancy = await aTenancy(pool)
  })

  async function as(
    caller: Caller,
    request: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Shown }> {
    const answer = await api.as(tenancy.tokens[caller])(request, body)
    return { status: answer.status, body: answer.body as unknown as Shown }
  }

  const ownerOf = async (app: string) =>
    (await as('owner', `GET /apps/${app}`)).body.owner.email

  test('a collaborator is offered an app as anybody is', async () => {
    const recipient = 'stranger@example.com'
    const names = ['one', 'two', 'three'].map((it) => `unasked-${it}`)
    await as('owner', 'DELETE /apps/personal-app')
    for (const app of names) {
      assert.equal((await as('owner', 'POST /apps', { name: app })).status, 201)
      await as('owner', `POST /apps/${app}/collaborators`, { user: recipient })
      const offer = { app, recipient }
      const { status, body } = await as('owner', 'POST /account/app-transfers', offer)
      assert.deepEqual([status, body.state], [201, 'pending'])
      assert.equal(await ownerOf(app), 'owner@example.com')
    }
    // So many offers as they may have apps, and none of their own places is taken.
    for (const nth of [1, 2]) {
      const made = await as('another tenant', 'POST /apps', { name: `their-own-${nth}` })
      assert.equal(made.status, 201)
    }
    const [first = '', second = ''] = names
    const accept = (app: string) =>
      as('another tenant', `PATCH /account/app-transfers/${app}`, { state: 'accepted' })
    assert.equal((await accept(first)).status, 200)
    assert.equal(await ownerOf(first), recipient)
    // That is the third.
    assert.equal((await accept(second)).status, 422)
    assert.equal(await ownerOf(second), 'owner@example.com')
  })

  test('so is a member a team’s app, and its admins have one offer of it', async () => {
    const at = 'PATCH /teams/apps/team-app'
    const of = (email: string) => as('owner', at, { owner: email })
    await as('owner', 'PUT /teams/my-team/members', {
      email: 'stranger@example.com',
      role: 'admin',
    })
    const first = await of('stranger@example.com')
    assert.deepEqual(
      [first.status, first.body.state, first.body.team?.name],
      [200, 'pending', 'my-team'],
    )
    // The other admin offers it to somebody else, whatever the first has offered.
    const second = await as('another tenant', at, { owner: 'member@example.com' })
    assert.equal(second.body.state, 'pending')
    assert.equal(await ownerOf('team-app'), 'my-team@herokumanager.com')
    const settle = (caller: Caller, state: string) =>
      as(caller, 'PATCH /account/app-transfers/team-app', { state })
    assert.equal((await settle('owner', 'accepted')).status, 404)
    // Who is no admin any more gives nothing away.
    await as('owner', 'PUT /teams/my-team/members', {
      email: 'stranger@example.com',
      role: 'member',
    })
    const late = await settle('team member', 'accepted')
    assert.deepEqual([late.status, late.body.id], [409, 'conflict'])

    // Nor does who is in the team no more take anything of it, or offer it.
    assert.equal((await of('stranger@example.com')).body.state, 'pending')
    const gone = await as('owner', 'DELETE /teams/my-team/members/stranger@example.com')
    assert.equal(gone.status, 200)
    assert.equal((await settle('another tenant', 'accepted')).status, 404)

    assert.equal((await of('member@example.com')).body.state, 'pending')
    assert.equal((await settle('team member', 'accepted')).status, 200)
    const { body } = await as('team member', 'GET /apps/team-app')
    assert.deepEqual([body.owner.email, body.team], ['member@example.com', null])
    // All who were let in are out.
    assert.equal((await as('owner', 'GET /apps/team-app')).status, 404)
  })
})
