/** Who never answers, and those whom they must not keep waiting. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aWebhook } from '../../test/a-webhook.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { createAccount } from '../actions/create-account.ts'
import { createApp } from '../actions/create-app.ts'
import { createTeam } from '../actions/create-team.ts'
import { systemClock } from '../lib/clock.ts'
import type { Account } from '../model/app.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { emailOfTeam } from '../model/team.ts'
import { PLATFORM, type Webhook } from '../model/webhook.ts'
import { publish } from '../store/publish.ts'
import { inTransaction } from '../store/queryable.ts'
import { lookAfterWebhook } from './look-after-webhook.ts'

const pool = aDatabase()

test('a tenant whose receivers never answer, by teams too, keeps no other waiting', async (t) => {
  let told = 0
  const receiver = createServer((request, response) => {
    told += 1
    if (request.url === '/good') response.end()
  })
  receiver.listen(0, '127.0.0.1')
  t.after(() => receiver.closeAllConnections())
  t.after(() => receiver.close())
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo

  const { app, account } = await anApp(pool)
  const another = await inTransaction(pool, (tx) =>
    createAccount(tx, { email: 'another@example.com', name: null }),
  )
  const team = await inTransaction(pool, (tx) =>
    createTeam(tx, { name: 'my-crew', admin: account }, HEROKU_LIMITS),
  )
  const make = (owner: Account, by: Account) =>
    inTransaction(pool, (tx) =>
      createApp(
        tx,
        { account: by, owner, name: undefined, region: 'us', stack: 'debian-12' },
        secrets,
      ),
    )
  const ofTeam = await make({ id: team.id, email: emailOfTeam(team.name) }, account)
  const theirs = await make(another, another)

  const hook = async (of: Pick<Webhook, 'app'>, path: string) => {
    const webhook = await aWebhook(pool, {
      ...of,
      url: `http://127.0.0.1:${port}${path}`,
    })
    return webhook.id
  }
  const dead = await Promise.all(
    Array.from({ length: 16 }, () => hook({ app: app.id }, '/dead')),
  )
  const more = await hook({ app: ofTeam.id }, '/good')
  const good = await hook({ app: theirs.id }, '/good')
  const common = { include: 'dyno', action: 'update', actor: PLATFORM } as const
  for (const it of [app, ofTeam, theirs]) {
    await publish(pool, [{ ...common, app: it.id, at: new Date(), data: {} }])
  }

  const reach = { own: [], allowed: ['127.0.0.1'] }
  const look = lookAfterWebhook({
    pool,
    secrets,
    clock: systemClock,
    reach: () => reach,
  })
  const stop = new AbortController()
  const looks = Promise.allSettled(dead.map((it) => look(it, stop.signal)))
  await until('all of them are told', () => told === 16)

  const wait = await look(more, stop.signal)
  assert.ok(wait > 0 && wait < Infinity, `${wait} ms`)
  assert.equal(told, 16)
  assert.equal(await look(good, stop.signal), 0)
  assert.equal(told, 17)

  stop.abort()
  await looks
  const { signal } = new AbortController()
  assert.equal(await look(more, signal), 0)
  assert.equal(told, 18)
})
