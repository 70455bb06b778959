import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { anApi, type AnApi } from '../../../test/an-api.ts'
import { aTenancy, type Caller, type Tenancy } from '../../../test/a-tenancy.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()
const AT = '/teams/my-team/members'

suite('leaving a team', () => {
  let api: AnApi
  let tenancy: Tenancy

  before(async () => {
    api = await anApi(pool)
    tenancy = await aTenancy(pool)
  })

  test('who is no admin takes nobody else out of it', async () => {
    for (const caller of ['team member', 'team collaborator: deploy'] as const) {
      for (const whom of ['owner@example.com', 'nobody@example.com']) {
        assert.equal((await as(caller, `DELETE ${AT}/${whom}`)).status, 403)
      }
    }
    const theirs = await as('another tenant', `DELETE ${AT}/stranger@example.com`)
    assert.equal(theirs.status, 404)
  })

  test('who leaves has nothing of its apps any more, and is offered none', async () => {
    const body = { user: 'member@example.com', permissions: ['deploy'] }
    const given = await as('owner', 'POST /teams/apps/locked-app/collaborators', body)
    assert.equal(given.status, 201)
    const offer = { owner: 'member@example.com' }
    assert.equal((await as('owner', 'PATCH /teams/apps/team-app', offer)).status, 200)
    const { body: offers } = await as('team member', 'GET /account/app-transfers')
    assert.equal(offers['length'], 1)

    assert.equal((await as('team member', `DELETE ${AT}/member@example.com`)).status, 200)
    assert.deepEqual((await as('team member', 'GET /apps')).body, [])
    assert.deepEqual((await as('team member', 'GET /teams')).body, [])
    assert.deepEqual((await as('team member', 'GET /account/app-transfers')).body, [])
    assert.equal((await as('team member', 'GET /apps/locked-app')).status, 404)
  })

  test('so does who was given single apps only', async () => {
    const caller = 'team collaborator: deploy'
    assert.equal((await as(caller, `DELETE ${AT}/deployer@example.com`)).status, 200)
    assert.equal((await as(caller, 'GET /apps/team-app')).status, 404)
  })

  test('the last admin stays; another may go', async () => {
    const email = 'stranger@example.com'
    const leaves = () => as('owner', `DELETE ${AT}/owner@example.com`)
    assert.equal((await leaves()).status, 422)
    const made = await as('owner', `PUT ${AT}`, { email, role: 'admin' })
    assert.equal(made.status, 201)
    assert.equal((await leaves()).status, 200)
    assert.equal((await as('owner', 'GET /apps/team-app')).status, 404)
  })

  function as(caller: Caller, request: string, body?: object) {
    const authorization = `Bearer ${tenancy.tokens[caller]}`
    return api.call(request, body, { authorization })
  }
})
