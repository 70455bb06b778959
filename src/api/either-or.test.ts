/** Of bodies that say a thing in one of two ways: one that says both is read by the first, and refused where that is none. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aTenancy } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'

const NONE = [0, null, {}, ['x'], true]
const url = 'https://example.com/x.git'

/** With the name that both ways are, the first of them, and a body around what that is. */
const requests: readonly (readonly [string, string, (first: unknown) => object])[] = [
  ['POST /apps/:app/releases', 'slug', (slug) => ({ slug, release: 1 })],
  ['POST /apps/:app/releases', 'slug', (id) => ({ slug: { id, name: 'x' } })],
  ['POST /apps/:app/collaborators', 'user', (email) => ({ user: { email, id: 'x' } })],
  [
    'PUT /apps/:app/buildpack-installations',
    'buildpack',
    (first) => ({ updates: [{ buildpack: { url: first, name: 'heroku/nodejs' } }] }),
  ],
  [
    'POST /apps/:app/builds',
    'buildpacks',
    (first) => ({
      source_blob: { url },
      buildpacks: [{ url: first, name: 'heroku/nodejs' }],
    }),
  ],
  ['PATCH /teams/apps/:app', 'locked', (locked) => ({ locked, owner: 'x' })],
]

const pool = aDatabase()

test('either or', async (t) => {
  const api = await anApi(pool)
  const tenancy = await aTenancy(pool)
  const ask = (route: string, body?: object) => {
    const team = route.includes('/teams/')
    const app = tenancy.apps[team ? 'team app' : 'personal app']
    const caller = team ? 'team admin' : 'owner'
    return api.as(tenancy.tokens[caller])(route.replace(':app', app), body)
  }

  for (const [route, what, bodyOf] of requests) {
    await t.test(`${route}: ${what}`, async () => {
      for (const none of NONE) {
        // The one thing of these that may be so.
        if (what === 'locked' && none === true) continue
        const { status, body } = await ask(route, bodyOf(none))
        assert.deepEqual([status, body.id], [422, 'invalid_params'], JSON.stringify(none))
        assert.match(String(body.message), /^Invalid parameters: /)
      }
    })
  }

  await t.test('what says both in good order is read by the first', async () => {
    const both = [{ buildpack: { url, name: 'heroku/nodejs' } }]
    const put = await ask('PUT /apps/:app/buildpack-installations', { updates: both })
    assert.equal(put.status, 200)
    const got = await ask('GET /apps/:app/buildpack-installations')
    assert.match(JSON.stringify(got.body), /example\.com\/x\.git/)
  })
})
