import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { inTransaction } from './queryable.ts'
import {
  claim,
  type Claim,
  forgetResting,
  makeDue,
  nextDue,
  putDown,
  wake,
} from './work.ts'

const db = aDatabase()
const lease = { limit: 10, leaseSeconds: 60 }

/** Each test has a kind of its own, so that none claims another's subjects. */
function only(kind: string) {
  return { region: 'us', kinds: [kind] }
}

/** After a look that went well. */
async function release(held: Claim, seconds: number): Promise<void> {
  await putDown(db, [{ ...held, seconds, error: null }])
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
  await release(held, 3600)
  assert.deepEqual(await claim(db, only('put-down'), lease), [])
  const { within: due } = await nextDue(db, only('put-down'))
  assert.ok(due > 3_500_000 && due <= 3_600_000, `due in ${due} ms`)
})

test('a subject put down for good is due again only when woken', async () => {
  const subject = await aWokenSubject('for-good')
  const [held] = await claim(db, only('for-good'), lease)
  assert.ok(held)
  await release(held, Infinity)
  assert.equal((await nextDue(db, only('for-good'))).within, Infinity)
  await wake(db, { kind: 'for-good', subject, region: 'us' })
  assert.equal((await nextDue(db, only('for-good'))).within, 0)
})

test('who takes a region over finds due what waits for a time, not what waits to be woken', async () => {
  const region = 'taken-over'
  const from = { region, kinds: ['timed'] }
  const [timed] = [
    await aWokenSubject('timed', region),
    await aWokenSubject('timed', region),
  ]
  for (const held of await claim(db, from, lease))
    await release(held, held.subject === timed ? 3600 : Infinity)
  await makeDue(db, region)
  const due = await claim(db, from, lease)
  assert.deepEqual(
    due.map(({ subject }) => subject),
    [timed],
  )
})

test('a wake while held is not lost', async () => {
  const subject = await aWokenSubject('woken')
  const [held] = await claim(db, only('woken'), lease)
  assert.ok(held)
  await wake(db, { kind: 'woken', subject, region: 'us' })
  await release(held, 3600)
  assert.equal((await claim(db, only('woken'), lease))[0]?.subject, subject)
})

test('a lease that ran out cannot be released by its old holder', async () => {
  await aWokenSubject('expired')
  const [first] = await claim(db, only('expired'), { limit: 1, leaseSeconds: -1 })
  const [second] = await claim(db, only('expired'), lease)
  assert.ok(first && second)
  await release(first, 0)
  assert.deepEqual(await claim(db, only('expired'), lease), [])
})

test('a failure is kept and counted until a look succeeds', async () => {
  await aWokenSubject('failing')
  const [first] = await claim(db, only('failing'), lease)
  assert.ok(first)
  await putDown(db, [{ ...first, seconds: 0, error: 'no route' }])
  const [second] = await claim(db, only('failing'), lease)
  assert.equal(second?.failures, 1)
  assert.ok(second)
  await release(second, 0)
  assert.equal((await claim(db, only('failing'), lease))[0]?.failures, 0)
})

test('many are put down together, each as it asks', async () => {
  const [soon, never] = [await aWokenSubject('many'), await aWokenSubject('many')]
  const held = await claim(db, only('many'), lease)
  await putDown(
    db,
    held.map((it) => ({
      ...it,
      seconds: it.subject === soon ? 0 : Infinity,
      error: null,
    })),
  )
  const again = await claim(db, only('many'), lease)
  assert.deepEqual(
    again.map((it) => it.subject),
    [soon],
  )
  assert.ok(held.some((it) => it.subject === never))
})

test('who is being woken is left to be put down later, and holds up nobody', async () => {
  const [woken] = [await aWokenSubject('busy'), await aWokenSubject('busy')]
  const held = await claim(db, only('busy'), lease)
  const looks = held.map((it) => ({ ...it, seconds: Infinity, error: null }))
  const [left, ...others] = await inTransaction(db, async (tx) => {
    await wake(tx, { kind: 'busy', subject: woken, region: 'us' })
    return inTransaction(db, async (other) => {
      await other.query(`set local lock_timeout = '1s'`)
      return putDown(other, looks)
    })
  })
  assert.ok(left)
  assert.deepEqual([left.subject, others], [woken, []])
  assert.deepEqual(await putDown(db, [left]), [])
  const again = await claim(db, only('busy'), lease)
  assert.deepEqual(
    again.map((it) => it.subject),
    [woken],
  )
})

test('who rests is forgotten, but not who is looked at, or waits for a moment', async () => {
  const [resting, waiting, held] = [
    await aWokenSubject('resting'),
    await aWokenSubject('resting'),
    await aWokenSubject('resting'),
  ]
  const claims = await claim(db, only('resting'), lease)
  for (const it of claims) {
    if (it.subject === resting) await release(it, Infinity)
    if (it.subject === waiting) await release(it, 3600)
  }
  await forgetResting(db, 'us')

  const { rows } = await db.query(`select subject from work where kind = 'resting'`)
  const left = (rows as { subject: string }[]).map(({ subject }) => subject)
  assert.deepEqual(left.toSorted(), [waiting, held].toSorted())
})
