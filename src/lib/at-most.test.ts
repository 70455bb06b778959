import assert from 'node:assert/strict'
import { test } from 'node:test'

import { atMost } from './at-most.ts'

test('never more at a time than may; a failure passes the turn on', async () => {
  const inTurn = atMost(2)
  let now = 0
  let most = 0
  const done: number[] = []
  const results = await Promise.allSettled(
    [1, 2, 3, 4, 5].map((it) =>
      inTurn(async () => {
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
        done.push(it)
        if (it === 2) throw new Error('it failed')
      }),
    ),
  )
  assert.equal(most, 2)
  assert.deepEqual(done, [1, 2, 3, 4, 5])
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 1)
})
