/** Who gets a request: any of an app's dynos, rather those with little to do, and no app because of another. */

import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'

const pool = aDatabase()

const DYNOS = 5

/** Holds what comes to it until `release`; `held` is how many, `next` resolves as there is one more. */
async function aBusyDyno(t: TestContext) {
  const held: ServerResponse[] = []
  let isFree = false
  let next = Promise.withResolvers<void>()
  const at = await aBackend(t, (_, it) => {
    if (isFree) return void it.end('busy')
    held.push(it)
    next.resolve()
    next = Promise.withResolvers<void>()
  })
  return {
    at,
    held: () => held.length,
    next: () => next.promise,
    release() {
      isFree = true
      for (const it of held.splice(0)) it.end('busy')
    },
  }
}

test('all dynos of an app get requests, about as many', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('spread', { web: DYNOS })
  const counts = new Map<string, number>()
  for (let nth = 0; nth < DYNOS; nth++)
    await router.dyno(app, await aBackend(t, (_, it) => it.end(`${nth}`)))
  await router.look()
  await router.start()
  await router.look()
  const requests = 500
  for (let nth = 0; nth < requests; nth++) {
    const { body } = await router.get('spread.localhost')
    counts.set(body, (counts.get(body) ?? 0) + 1)
  }
  // 100 each, plus or minus 9: half of that comes in none of many lives.
  assert.equal(counts.size, DYNOS)
  for (const [dyno, count] of counts)
    assert.ok(count > requests / DYNOS / 2, `dyno ${dyno}: ${count} of ${requests}`)
})

test('of two dynos that chance picks the less busy one gets a request', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('uneven', { web: DYNOS })
  const busy = await aBusyDyno(t)
  await router.dyno(app, busy.at)
  for (let nth = 1; nth < DYNOS; nth++)
    await router.dyno(app, await aBackend(t, (_, it) => it.end('idle')))
  await router.look()
  await router.start()
  await router.look()
  const held: Promise<unknown>[] = []
  /** Of one request: whether the busy one has it. */
  const send = async () => {
    const came = busy.next().then(() => true)
    const one = router.get('uneven.localhost').then(() => false)
    held.push(one)
    return Promise.race([one, came])
  }
  while (busy.held() < 2) await send()
  const requests = 300
  let its = 0
  for (let nth = 0; nth < requests; nth++) if (await send()) its++
  // By chance alone 60, plus or minus 7; only if both picks are the busy one 12, plus or minus 4.
  assert.ok(its < 36, `the busy one got ${its} of ${requests}`)
  busy.release()
  await Promise.all(held)
})

test('an app whose dyno is slow keeps no request of another waiting', async (t) => {
  const router = await aRouter(t, pool)
  const [slow, fast] = [await router.app('slow-one'), await router.app('fast-one')]
  const busy = await aBusyDyno(t)
  await router.dyno(slow, busy.at)
  await router.dyno(fast, await aBackend(t, (_, it) => it.end('fast')))
  await router.look()
  await router.start()
  await router.look()
  const waiting = Array.from({ length: 300 }, () => router.get('slow-one.localhost'))
  await until('all are held', () => busy.held() === waiting.length)

  let left = 500
  const answered: string[] = []
  const askers = Array.from({ length: 8 }, async () => {
    while (left-- > 0) answered.push((await router.get('fast-one.localhost')).body)
  })
  await Promise.all(askers)
  assert.equal(answered.length, 500)
  assert.deepEqual(new Set(answered), new Set(['fast']))
  assert.equal(busy.held(), waiting.length, 'none of the slow one was lost')
  busy.release()
  const bodies = (await Promise.all(waiting)).map(({ body }) => body)
  assert.deepEqual(new Set(bodies), new Set(['busy']))
})
