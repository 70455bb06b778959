import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { HOUR, MINUTE, pause, SECOND } from '../lib/clock.ts'
import { routersHeed } from './routers-heed.ts'
import { claim, type Claim, putDown, wake } from './work.ts'

const db = aDatabase()
const patient = { longest: MINUTE, untilAttended: MINUTE }

/** A router of a region of its own, woken once. */
async function aRouter() {
  const it = { kind: 'router', subject: randomUUID(), region: randomUUID() }
  const from = { region: it.region, kinds: ['router'] }
  await wake(db, it)
  return {
    wake: () => wake(db, it),
    async look(): Promise<Claim> {
      const [held] = await claim(db, from, { limit: 1, leaseSeconds: 60 })
      assert.ok(held)
      return held
    },
    async rest(held: Claim, error: string | null = null): Promise<void> {
      await putDown(db, [{ ...held, seconds: 3600, error }])
    },
  }
}

/** Whether it has resolved by now: it looks every 10 ms. */
function waiting(): {
  readonly isOver: () => Promise<boolean>
  readonly end: Promise<void>
} {
  let over = false
  const end = routersHeed(db, patient).then(() => void (over = true))
  return { end, isOver: () => pause(100).then(() => over) }
}

test('a look that began after the wake is waited for', async () => {
  const router = await aRouter()
  const waits = waiting()
  assert.equal(await waits.isOver(), false)
  const held = await router.look()
  assert.equal(await waits.isOver(), false)
  await router.rest(held)
  await waits.end
})

test('one that had begun before does not do', async () => {
  const router = await aRouter()
  const before = await router.look()
  await router.wake()
  const waits = waiting()
  await router.rest(before)
  assert.equal(await waits.isOver(), false)
  await router.rest(await router.look())
  await waits.end
})

test('what others wake meanwhile is not waited for', async () => {
  const router = await aRouter()
  const held = await router.look()
  const waits = waiting()
  assert.equal(await waits.isOver(), false)
  await router.wake()
  await router.rest(held)
  await waits.end
  await router.rest(await router.look())
})

test('a look that fails does not do either', async () => {
  const router = await aRouter()
  const waits = waiting()
  await router.rest(await router.look(), 'no luck')
  assert.equal(await waits.isOver(), false)
  await router.wake()
  await db.query(`update work set run_at = now() where kind = 'router'`)
  await router.rest(await router.look())
  await waits.end
})

test('a router that nobody looks after is not waited for', async () => {
  await aRouter()
  await db.query(`update work set run_at = now() - interval '2 seconds'`)
  await routersHeed(db, { longest: 24 * HOUR, untilAttended: SECOND })
})

test('nor is one whose look does not end, for ever', async () => {
  const router = await aRouter()
  await router.look()
  await routersHeed(db, { longest: 0.1 * SECOND, untilAttended: MINUTE })
})
