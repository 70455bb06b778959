import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { type AnApi, anApi } from '../../../test/an-api.ts'
import { aTenancy, aToken, type Caller, type Tenancy } from '../../../test/a-tenancy.ts'
import { oneAfterTheOther } from '../../../test/one-after-the-other.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { digestOf } from '../../model/token.ts'
import {
  type AuthorizationId,
  authorizationsOf,
  lockAuthorizations,
  removeAuthorizations,
  rotateAuthorization,
} from '../../store/accounts.ts'
import type { Queryable } from '../../store/queryable.ts'

/** What these tests read of what they are answered. */
interface Shown {
  readonly id: string
  readonly message: string
  readonly state: string
  readonly role: string
  readonly locked: boolean
  readonly description: string
  readonly scope: readonly string[]
  readonly source_blob: { readonly url: string | null }
  readonly permissions: readonly { readonly name: string }[]
  readonly team: { readonly name: string } | null
  readonly owner: { readonly email: string }
  readonly access_token: { readonly token: string; readonly expires_in: number } | null
}

suite('who shares what with whom', () => {
  const pool = aDatabase()
  let api: AnApi
  let tenancy: Tenancy

  before(async () => {
    api = await anApi(pool)
    tenancy = await aTenancy(pool)
  })

  async function as(
    caller: Caller | { readonly token: string },
    request: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Shown }> {
    const token = typeof caller === 'string' ? tenancy.tokens[caller] : caller.token
    const answer = await api.as(token)(request, body)
    return { status: answer.status, body: answer.body as unknown as Shown }
  }

  async function apps(caller: Caller, list = '/apps'): Promise<string[]> {
    const { body } = await as(caller, `GET ${list}`)
    return (body as unknown as { name: string }[]).map((it) => it.name)
  }

  test('a list has what its reader may know of', async () => {
    assert.deepEqual(await apps('owner'), ['locked-app', 'personal-app', 'team-app'])
    assert.deepEqual(await apps('collaborator'), ['personal-app'])
    assert.deepEqual(await apps('team member'), ['locked-app', 'team-app'])
    assert.deepEqual(await apps('team collaborator: deploy'), ['team-app'])
    assert.deepEqual(await apps('another tenant'), [])
    assert.deepEqual(await apps('owner', '/teams/my-team/apps'), [
      'locked-app',
      'team-app',
    ])
    assert.deepEqual(await apps('team collaborator: deploy', '/users/~/apps'), [
      'team-app',
    ])
  })

  test('a taken name is taken, and it is not said by whom', async () => {
    const { status, body } = await as('another tenant', 'POST /apps', {
      name: 'personal-app',
    })
    assert.equal(status, 422)
    assert.deepEqual(body, {
      id: 'invalid_params',
      message: 'Name personal-app is already taken',
    })
  })

  test('an app of a stranger is one that is not there', async () => {
    const theirs = await as('another tenant', 'GET /apps/personal-app')
    const none = await as('another tenant', 'GET /apps/no-such-app')
    assert.equal(theirs.status, 404)
    assert.deepEqual(theirs, none)
  })

  test('what is not permitted is said to be that', async () => {
    const { status, body } = await as('collaborator', 'DELETE /apps/personal-app')
    assert.equal(status, 403)
    assert.deepEqual(body, {
      id: 'forbidden',
      message: 'You do not have the manage permission on this app, which that needs.',
    })
  })

  test('only who manages lets others in, and everyone may leave', async () => {
    const collaborators = '/apps/personal-app/collaborators'
    const user = 'stranger@example.com'
    assert.equal(
      (await as('collaborator', `POST ${collaborators}`, { user })).status,
      403,
    )
    assert.equal(
      (await as('owner', `POST ${collaborators}`, { user: 'no@example.com' })).status,
      422,
    )
    const made = await as('owner', `POST ${collaborators}`, { user })
    assert.equal(made.status, 201)
    assert.equal((await as('owner', `POST ${collaborators}`, { user })).status, 422)
    assert.equal((await as('another tenant', 'GET /apps/personal-app')).status, 200)
    assert.equal(
      (await as('collaborator', `DELETE ${collaborators}/${user}`)).status,
      403,
    )
    assert.equal(
      (await as('another tenant', `DELETE ${collaborators}/${user}`)).status,
      200,
    )
    assert.equal((await as('another tenant', 'GET /apps/personal-app')).status, 404)
    const { rows } = await pool.query<{ message: string }>(
      `select message from events where kind = 'access.changed' order by id desc limit 2`,
    )
    assert.deepEqual(
      rows.map((row) => row.message),
      [
        'Shut out stranger@example.com by user stranger@example.com',
        'Let in stranger@example.com by user owner@example.com',
      ],
    )
  })

  test('permissions on a team’s app are what was given', async () => {
    const at = '/teams/apps/locked-app/collaborators'
    assert.equal((await as('team member', 'GET /apps/locked-app')).status, 403)
    const added = await as('owner', `POST ${at}`, {
      user: 'member@example.com',
      permissions: ['deploy'],
    })
    assert.deepEqual(
      [added.status, added.body.role, names(added.body.permissions)],
      [201, 'member', ['view', 'deploy']],
    )
    assert.equal((await as('team member', 'GET /apps/locked-app')).status, 200)
    const maintenance = { maintenance: true }
    assert.equal(
      (await as('team member', 'PATCH /apps/locked-app', maintenance)).status,
      403,
    )
    const changed = await as('owner', `PATCH ${at}/member@example.com`, {
      permissions: ['operate'],
    })
    assert.deepEqual(names(changed.body.permissions), ['view', 'operate'])
    assert.equal(
      (await as('team member', 'PATCH /apps/locked-app', maintenance)).status,
      200,
    )
    assert.equal(
      (await as('team member', 'GET /apps/locked-app/config-vars')).status,
      403,
    )
    assert.equal((await as('owner', `DELETE ${at}/member@example.com`)).status, 200)
  })

  test('where a build has its source from is told to who may deploy', async () => {
    await as('owner', 'POST /teams/apps', { name: 'viewed', team: 'my-team' })
    const url = 'https://user:secret@example.com/source.tgz'
    const { body: build } = await as('owner', 'POST /apps/viewed/builds', {
      source_blob: { url },
    })
    const user = 'stranger@example.com'
    const permissions = ['view']
    await as('owner', 'POST /teams/apps/viewed/collaborators', { user, permissions })
    for (const [caller, told] of [
      ['owner', url],
      ['another tenant', null],
    ] as const) {
      const one = await as(caller, `GET /apps/viewed/builds/${build.id}`)
      const all = await as(caller, 'GET /apps/viewed/builds')
      const shown = [one.body, ...(all.body as unknown as Shown[])]
      assert.deepEqual(
        shown.map((it) => it.source_blob.url),
        [told, told],
        caller,
      )
    }
    await as('owner', 'DELETE /apps/viewed')
  })

  test('nobody finds out by trying who has an account', async () => {
    const { body: team } = await as('collaborator', 'POST /teams', { name: 'guessers' })
    const path = `PUT /teams/${team.id}/members`
    const name = (email: string) => as('collaborator', path, { email, role: 'member' })
    const wrong = Array.from({ length: 30 }, (_, nth) => `guess-${nth}@example.com`)
    for (const email of wrong) assert.equal((await name(email)).status, 422)
    // Not even one that there is.
    for (const email of ['guess@example.com', 'member@example.com']) {
      const { status, body } = await name(email)
      assert.equal(status, 429)
      assert.match(body.message, /^You named too many/)
    }
    // Others still do.
    const { body: other } = await as('another tenant', 'POST /teams', { name: 'others' })
    const member = { email: 'member@example.com', role: 'member' }
    const added = await as('another tenant', `PUT /teams/${other.id}/members`, member)
    assert.equal(added.status, 201)
  })

  test('who may not let others in is told nothing of whom he names', async () => {
    const users = ['nobody@example.com', 'stranger@example.com']
    const answers = await Promise.all(
      users.map((user) =>
        as('collaborator', 'POST /apps/personal-app/collaborators', { user }),
      ),
    )
    assert.deepEqual(answers[0], answers[1])
    assert.equal(answers[0]?.status, 403)
  })

  test('a member joins an unlocked app of the team, for what members may', async () => {
    const at = '/teams/apps/team-app/collaborators'
    const body = { user: 'member@example.com', permissions: ['manage'] }
    const joined = await as('team member', `POST ${at}`, body)
    assert.equal(joined.status, 201)
    assert.deepEqual(names(joined.body.permissions), ['view', 'deploy', 'operate'])
    assert.equal((await as('team collaborator: deploy', `POST ${at}`, body)).status, 403)
  })

  test('members come, change and go; an admin stays', async () => {
    const at = '/teams/my-team/members'
    const email = 'stranger@example.com'
    assert.equal(
      (await as('team member', `PUT ${at}`, { email, role: 'admin' })).status,
      403,
    )
    assert.equal((await as('another tenant', `GET ${at}`)).status, 404)
    assert.equal(
      (await as('owner', `PATCH ${at}`, { email, role: 'member' })).status,
      404,
    )
    assert.equal((await as('owner', `PUT ${at}`, { email, role: 'member' })).status, 201)
    assert.equal((await as('another tenant', 'GET /apps/team-app')).status, 200)
    assert.equal((await as('owner', `PATCH ${at}`, { email, role: 'admin' })).status, 200)
    assert.equal((await as('owner', `DELETE ${at}/${email}`)).status, 200)
    assert.equal((await as('another tenant', 'GET /apps/team-app')).status, 404)
    const last = { email: 'owner@example.com', role: 'member' }
    assert.equal((await as('owner', `PATCH ${at}`, last)).status, 422)
    assert.equal((await as('owner', `DELETE ${at}/owner@example.com`)).status, 422)
  })

  test('an app of a team is made by its people only, and belongs to it', async () => {
    const wish = { name: 'made-for-team', team: 'my-team' }
    assert.equal((await as('another tenant', 'POST /teams/apps', wish)).status, 404)
    assert.equal(
      (await as('team collaborator: deploy', 'POST /teams/apps', wish)).status,
      403,
    )
    const { status, body } = await as('team member', 'POST /teams/apps', wish)
    assert.deepEqual(
      [status, body.team?.name, body.owner.email],
      [201, 'my-team', 'my-team@herokumanager.com'],
    )
    assert.equal((await as('team member', 'DELETE /apps/made-for-team')).status, 403)
    assert.equal((await as('owner', 'DELETE /teams/my-team')).status, 422)
    assert.equal((await as('owner', 'DELETE /apps/made-for-team')).status, 200)
  })

  test('an offered app is its recipient’s once taken', async () => {
    const offer = { app: 'personal-app', recipient: 'stranger@example.com' }
    assert.equal(
      (await as('collaborator', 'POST /account/app-transfers', offer)).status,
      403,
    )
    assert.equal(
      (await as('another tenant', 'POST /account/app-transfers', offer)).status,
      404,
    )
    const made = await as('owner', 'POST /account/app-transfers', offer)
    assert.deepEqual([made.status, made.body.state], [201, 'pending'])
    assert.equal((await as('owner', 'POST /account/app-transfers', offer)).status, 422)
    const it = `/account/app-transfers/${made.body.id}`
    const accepted = { state: 'accepted' }
    assert.equal((await as('owner', `PATCH ${it}`, accepted)).status, 403)
    assert.equal((await as('collaborator', `PATCH ${it}`, accepted)).status, 404)
    assert.equal((await as('another tenant', `PATCH ${it}`, accepted)).status, 200)
    assert.equal((await as('another tenant', `PATCH ${it}`, accepted)).status, 422)
    const owner = await as('another tenant', 'GET /apps/personal-app')
    assert.equal(owner.body.owner.email, 'stranger@example.com')
    // Who gave it away is a collaborator now.
    assert.equal((await as('owner', 'DELETE /apps/personal-app')).status, 403)
    assert.equal((await as('another tenant', 'DELETE /apps/personal-app')).status, 200)
  })

  test('an app goes to a team and from it', async () => {
    await as('owner', 'POST /apps', { name: 'wanderer' })
    const at = '/teams/apps/wanderer'
    assert.equal((await as('owner', `PATCH ${at}`, { locked: true })).status, 422)
    assert.equal((await as('owner', `PATCH ${at}`, { owner: 'no-team' })).status, 422)
    const given = await as('owner', `PATCH ${at}`, { owner: 'my-team' })
    assert.equal(given.body.team?.name, 'my-team')
    const locked = await as('owner', `PATCH ${at}`, { locked: true })
    assert.equal(locked.body.locked, true)
    assert.equal((await as('team member', 'GET /apps/wanderer')).status, 403)
    const outside = { owner: 'stranger@example.com' }
    assert.equal((await as('owner', `PATCH ${at}`, outside)).status, 422)
    const back = await as('owner', `PATCH ${at}`, { owner: 'owner@example.com' })
    assert.deepEqual([back.body.team, back.body.locked], [null, false])
    assert.equal((await as('team member', 'GET /apps/wanderer')).status, 404)
  })

  test('heroku login -i: a token as the password makes one that ends', async () => {
    const basic = Buffer.from(`owner@example.com:${tenancy.tokens.owner}`).toString(
      'base64',
    )
    const reply = await api.server.inject({
      method: 'POST',
      url: '/oauth/authorizations',
      payload: { description: 'CLI', expires_in: 2592000, scope: ['global'] },
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Basic ${basic}`,
      },
    })
    const made = JSON.parse(reply.body) as {
      readonly user: { readonly email: string }
      readonly access_token: { readonly token: string }
    }
    assert.equal(made.user.email, 'owner@example.com')
    const { token } = made.access_token
    assert.equal((await as({ token }, 'GET /account')).status, 200)
  })

  test('a token makes no other while it is revoked or rotated', async () => {
    const { owner } = tenancy.accounts
    const token = await aToken(pool, owner)
    const { rows } = await pool.query<{ id: AuthorizationId }>(
      'select id from authorizations where token_sha256 = $1',
      [digestOf(token)],
    )
    const { id } = rows[0] ?? assert.fail()
    const one = `POST /oauth/authorizations/${id}/actions/regenerate-tokens`
    const rotate = async (tx: Queryable) => {
      await lockAuthorizations(tx, owner.id)
      await rotateAuthorization(tx, id, digestOf('another'))
    }
    for (const request of [one, 'POST /oauth/authorizations']) {
      await pool.query('update authorizations set token_sha256 = $2 where id = $1', [
        id,
        digestOf(token),
      ])
      const end = await oneAfterTheOther(pool, rotate, () => as({ token }, request, {}))
      assert.equal(end.status === 'fulfilled' && end.value.status, 401, request)
    }
    const leaver = await createAccount(pool, { email: 'leaver@example.com', name: null })
    const its = await aToken(pool, leaver)
    const end = await oneAfterTheOther(
      pool,
      (tx) => removeAuthorizations(tx, leaver.id),
      () => as({ token: its }, 'POST /oauth/authorizations', {}),
    )
    assert.equal(end.status === 'fulfilled' && end.value.status, 401)
    assert.deepEqual(await authorizationsOf(pool, leaver.id), [])
  })

  test('a token is told once, is good for what it says, and rotates', async () => {
    const made = await as('owner', 'POST /oauth/authorizations', {
      description: 'test',
      expires_in: '3600',
      scope: ['read', 'read'],
    })
    const { id, access_token: told, scope } = made.body
    assert.deepEqual([made.status, told?.expires_in, scope], [201, 3600, ['read']])
    const token = { token: told?.token ?? '' }
    assert.equal((await as(token, 'GET /apps')).status, 200)
    assert.equal((await as(token, 'POST /apps')).status, 403)
    assert.equal((await as(token, 'POST /oauth/authorizations', {})).status, 403)
    const one = `/oauth/authorizations/${id}`
    assert.equal((await as('owner', `GET ${one}`)).body.access_token, null)
    assert.equal((await as('collaborator', `GET ${one}`)).status, 404)
    const named = await as('owner', `PATCH ${one}`, { description: 'new' })
    assert.equal(named.body.description, 'new')
    const rotated = await as('owner', `POST ${one}/actions/regenerate-tokens`)
    assert.equal((await as(token, 'GET /apps')).status, 401)
    const next = { token: rotated.body.access_token?.token ?? '' }
    assert.equal((await as(next, 'GET /apps')).status, 200)
    assert.equal((await as('collaborator', `DELETE ${one}`)).status, 404)
    assert.equal((await as('owner', `DELETE ${one}`)).status, 200)
    assert.equal((await as(next, 'GET /apps')).status, 401)
    for (const body of [{ scope: ['all'] }, { scope: [] }, { expires_in: '-1' }]) {
      assert.equal((await as('owner', 'POST /oauth/authorizations', body)).status, 422)
    }
  })
})

function names(permissions: Shown['permissions']): string[] {
  return permissions.map((it) => it.name)
}
