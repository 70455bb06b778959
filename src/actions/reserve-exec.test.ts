import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'

import { anApp, type AnApp, secrets } from '../../test/an-app.ts'
import { aRunningDyno } from '../../test/a-running-dyno.ts'
import { aDatabase } from '../../test/postgres.ts'
import { type DynoId, newId } from '../model/ids.ts'
import { MOST_RESERVATIONS } from '../model/exec.ts'
import { Problem } from '../model/problem.ts'
import { digestOf, newToken } from '../model/token.ts'
import { type AuthorizationId, ensureAuthorization } from '../store/accounts.ts'
import { findExecReservation } from '../store/exec-reservations.ts'
import { inTransaction } from '../store/queryable.ts'
import { setAppFeature } from './set-app-feature.ts'
import { reserveExec } from './reserve-exec.ts'

const pool = aDatabase()
let own: AnApp
let dyno: DynoId
let authorization: AuthorizationId

suite('reservations of ps:exec', () => {
  beforeEach(async () => {
    await pool.query('delete from exec_reservations')
    own = await anApp(pool)
    const { app, account } = own
    await own.deploy({ web: 'x' })
    dyno = await aRunningDyno(
      pool,
      { app, formation: await own.formation('web') },
      new Date(),
    )
    authorization = newId()
    await ensureAuthorization(pool, {
      id: authorization,
      account: account.id,
      sha256: digestOf(newToken()),
      description: 'a test',
    })
    const on = { name: 'runtime-heroku-exec', enabled: true, account, now: new Date() }
    await inTransaction(pool, (tx) => setAppFeature(tx, app, on))
  })

  test('those that have expired go as another is made', async () => {
    const [expired, good] = [await reserve(), await reserve()]
    await pool.query(
      'update exec_reservations set expires_at = now() where client_user = $1',
      [expired],
    )
    const another = await reserve()
    assert.deepEqual(await kept(), [good, another])
  })

  test('an account has so many, and another in place of the oldest', async () => {
    const first = await reserve()
    await pool.query(
      `insert into exec_reservations
              (client_user, dyno, account, "authorization", client_key, environment, expires_at, created_at)
       select 'user ' || n, dyno, account, "authorization", client_key, environment, expires_at,
              created_at + make_interval(secs => n)
         from exec_reservations, generate_series(1, $1) n`,
      [MOST_RESERVATIONS - 1],
    )
    const another = await reserve()
    const all = await kept()
    assert.equal(all.length, MOST_RESERVATIONS)
    assert.ok(!all.includes(first))
    assert.ok(await findExecReservation(pool, another))
    assert.ok(await findExecReservation(pool, 'user 1'))
  })

  test('the longest key of OpenSSH is taken, and what is longer is none', async () => {
    // RSA of 16,384 bits: the modulus has a byte before it that says it is positive.
    const modulus = Buffer.concat([Buffer.of(0), Buffer.alloc(2048, 0xab)])
    assert.ok(await reserve(keyOf(modulus)))
    await assert.rejects(
      reserve(keyOf(Buffer.alloc(4096, 1))),
      (error) => error instanceof Problem && error.id === 'invalid_params',
    )
  })
})

async function reserve(clientKey = keyOf(Buffer.alloc(257, 1))): Promise<string> {
  const { app, account } = own
  const its = { id: dyno, type: 'web', ordinal: 1, state: 'up' } as const
  const wish = { app, account, authorization, dyno: its, clientKey }
  return inTransaction(pool, (tx) => reserveExec(tx, wish, secrets))
}

function keyOf(modulus: Buffer): string {
  const parts = [Buffer.from('ssh-rsa'), Buffer.of(1, 0, 1), modulus].flatMap((it) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(it.length)
    return [length, it]
  })
  return `ssh-rsa ${Buffer.concat(parts).toString('base64')} me@here`
}

async function kept(): Promise<string[]> {
  const { rows } = await pool.query<{ user: string }>(
    'select client_user as "user" from exec_reservations order by created_at',
  )
  return rows.map((it) => it.user)
}
