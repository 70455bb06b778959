/** Who gave an app away, or declined it, does not go on learning what it is called. */

import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { type AnApi, anApi, type Json } from '../../../test/an-api.ts'
import { aTenancy, type Caller, type Tenancy } from '../../../test/a-tenancy.ts'
import { aDatabase } from '../../../test/postgres.ts'

const AT = '/account/app-transfers'

suite('offers that are settled', () => {
  const pool = aDatabase()
  let api: AnApi
  let tenancy: Tenancy

  before(async () => {
    api = await anApi(pool)
    tenancy = await aTenancy(pool)
  })

  const as = (caller: Caller, request: string, body?: object) =>
    api.as(tenancy.tokens[caller])(request, body)

  async function offer(app: string): Promise<void> {
    await as('owner', 'POST /apps', { name: app })
    const wish = { app, recipient: 'stranger@example.com' }
    assert.equal((await as('owner', `POST ${AT}`, wish)).status, 201)
  }

  async function namesSeenBy(caller: Caller): Promise<string[]> {
    const { body } = await as(caller, `GET ${AT}`)
    return (body as unknown as Json[]).map((it) => String(it['app']?.['name']))
  }

  test('have the name of then, and pending ones that of now', async () => {
    await offer('declined-app')
    const declined = { state: 'declined' }
    await as('another tenant', `PATCH ${AT}/declined-app`, declined)
    assert.equal(
      (await as('owner', 'PATCH /apps/declined-app', { name: 'a-secret' })).status,
      200,
    )
    assert.deepEqual(await namesSeenBy('another tenant'), ['declined-app'])

    await offer('accepted-app')
    await as('another tenant', `PATCH ${AT}/accepted-app`, { state: 'accepted' })
    const renamed = await as('another tenant', 'PATCH /apps/accepted-app', {
      name: 'mine',
    })
    assert.equal(renamed.status, 200)
    assert.deepEqual((await namesSeenBy('owner')).toSorted(), [
      'accepted-app',
      'declined-app',
    ])

    await offer('pending-app')
    await as('owner', 'PATCH /apps/pending-app', { name: 'pending-still' })
    assert.ok((await namesSeenBy('another tenant')).includes('pending-still'))
  })

  test('do not stand before a pending one of that name', async () => {
    await offer('one-name')
    await as('another tenant', `PATCH ${AT}/one-name`, { state: 'declined' })
    const { body: settled } = await as('another tenant', `GET ${AT}/one-name`)
    assert.equal(settled['state'], 'declined')
    await as('owner', 'PATCH /apps/one-name', { name: 'its-other-name' })
    await offer('was-earlier')
    await pool.query(
      `update app_transfers set created_at = now() - interval '1 hour' where state = 'pending'`,
    )
    await as('owner', 'PATCH /apps/was-earlier', { name: 'one-name' })
    const { body } = await as('another tenant', `GET ${AT}/one-name`)
    assert.equal(body['state'], 'pending')
  })
})
