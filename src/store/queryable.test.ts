import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { inTransaction, type Queryable } from './queryable.ts'

const pool = aDatabase()

test('of two transactions that wait for each other both come to their end', async () => {
  await pool.query('create table places (name text primary key, visits integer not null)')
  await pool.query(`insert into places values ('here', 0), ('there', 0)`)
  const bothAreHalfway = new Barrier(2)
  let runs = 0

  const visit = (first: string, second: string) =>
    inTransaction(pool, async (tx) => {
      runs++
      await visitOnce(tx, first)
      await bothAreHalfway.arrive()
      await visitOnce(tx, second)
    })
  await Promise.all([visit('here', 'there'), visit('there', 'here')])

  // More where the one that began anew was faster, all the same, than the one it had made way for.
  assert.ok(runs >= 3, `${runs} runs`)
  const { rows } = await pool.query('select visits from places')
  assert.deepEqual(rows, [{ visits: 2 }, { visits: 2 }])
})

test('what fails otherwise is not run again', async () => {
  let runs = 0
  const work = inTransaction(pool, async (tx) => {
    runs++
    await tx.query('select 1 / 0')
  })
  await assert.rejects(work, /division by zero/)
  assert.equal(runs, 1)
})

async function visitOnce(tx: Queryable, name: string): Promise<void> {
  await tx.query('update places set visits = visits + 1 where name = $1', [name])
}

/** Lets nobody pass before so many have come; from then on, everybody. */
class Barrier {
  #missing: number
  readonly #open: Promise<void>
  #lift: () => void = () => {}

  constructor(count: number) {
    this.#missing = count
    this.#open = new Promise((resolve) => (this.#lift = resolve))
  }

  async arrive(): Promise<void> {
    this.#missing--
    if (this.#missing <= 0) this.#lift()
    return this.#open
  }
}
