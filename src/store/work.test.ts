import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { claim, nextDue, release, releaseFailed, wake } from './work.ts'

const db = aDatabase()
const lease = { limit: 10, leaseSeconds: 60 }

/** Each test has a kind of its own, so that none claims another's subjects. */
function only(kind: string) {
  return { region: 'us', kinds: [kind] }
}

async function aWokenSubject(kind: string, region = 'us'): Promise<string> {
  const subject = randomUUID()
  await wake(db, { kind, subject, region })
  return subject
}

test('a woken subject is claimed by exactly one of many', async () => {
  const subject = await aWokenSubject('one-of-many')
  const claims = await Promise.all(
    Array.from({ length: 8 }, () => claim(db, only('one-of-many'), lease)),
  )
  assert.deepEqual(
    claims.flat().map((it) => it.subject),
    [subject],
  )
})

test("another region's subjects are not claimed", async () => {
  await aWokenSubject('elsewhere', 'eu')
  assert.deepEqual(await claim(db, only('elsewhere'), lease), [])
})

test('a subject put down is not due until its time', async () => {
  await aWokenSubject('put-down')
  const [held] = await claim(db, only('put-down'), lease)
  assert.ok(held)
  assert.equal(await release(db, held, 3600), true)
  assert.deepEqual(await claim(db, only('put-down'), lease), [])
  const due = await nextDue(db, only('put-down'))
  assert.ok(due > 3_500_000 && due <= 3_600_000, `due in ${due} ms`)
})

test('a subject put down for good is due again only when woken', async () => {
  const subject = await aWokenSubject('for-good')
  const [held] = await claim(db, only('for-good'), lease)
  assert.ok(held)
  await release(db, held, Infinity)
  assert.equal(await nextDue(db, only('for-good')), Infinity)
  await wake(db, { kind: 'for-good', subject, region: 'us' })
  assert.equal(await nextDue(db, only('for-good')), 0)
})

test('a wake while held is not lost', async () => {
  const subject = await aWokenSubject('woken')
  const [held] = await claim(db, only('woken'), lease)
  assert.ok(held)
  await wake(db, { kind: 'woken', subject, region: 'us' })
  await release(db, held, 3600)
  assert.equal((await claim(db, only('woken'), lease))[0]?.subject, subject)
})

test('a lease that ran out cannot be released by its old holder', async () => {
  await aWokenSubject('expired')
  const [first] = await claim(db, only('expired'), { limit: 1, leaseSeconds: -1 })
  const [second] = await claim(db, only('expired'), lease)
  assert.ok(first && second)
  assert.equal(await release(db, first, 0), false)
})

test('a failure is kept and counted until a look succeeds', async () => {
  await aWokenSubject('failing')
  const [first] = await claim(db, only('failing'), lease)
  assert.ok(first)
  await releaseFailed(db, first, { seconds: 0, error: 'no route' })
  const [second] = await claim(db, only('failing'), lease)
  assert.equal(second?.failures, 1)
  assert.ok(second)
  await release(db, second, 0)
  assert.equal((await claim(db, only('failing'), lease))[0]?.failures, 0)
})
