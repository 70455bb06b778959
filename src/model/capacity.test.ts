import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { type Candidate, placeable, roomOf, waitingForRoom } from './capacity.ts'
import type { DynoId } from './ids.ts'

const GiB = 1024 ** 3

test('a gigabyte is kept back, of a small machine a quarter', () => {
  assert.equal(roomOf(16 * GiB, 1), 15 * GiB)
  assert.equal(roomOf(2 * GiB, 1), 1.5 * GiB)
  assert.equal(roomOf(16 * GiB, 2), 30 * GiB)
  assert.equal(roomOf(Infinity, 1), Infinity)
})

/** Quotas in the order of waiting, what there is, and who is placed. */
const cases: readonly [number[], { room: number; used: number }, number[]][] = [
  [[1, 1, 1], { room: 2, used: 0 }, [0, 1]],
  [[1, 1], { room: 2, used: 2 }, []],
  // The large one at the head is not overtaken, for it would starve.
  [[4, 1], { room: 5, used: 2 }, []],
  // One that can never fit holds nobody up.
  [[9, 1, 1], { room: 5, used: 3 }, [1, 2]],
  // A machine that was promised too much already.
  [[1], { room: 5, used: 7 }, []],
]

for (const [quotas, machine, expected] of cases) {
  test(`${quotas.join(' ')} into ${machine.room} with ${machine.used} used`, () => {
    assert.deepEqual(placeable(waiting(quotas), machine), expected.map(String))
  })
}

test('what is placed always fits', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(64)), fc.nat(200), fc.nat(200), (quotas, room, used) => {
      const placed = new Set<string>(placeable(waiting(quotas), { room, used }))
      const sum = quotas.filter((_, at) => placed.has(`${at}`)).reduce((a, b) => a + b, 0)
      assert.ok(placed.size === 0 || used + sum <= room)
    }),
  )
})

test('the log tells what is missing', () => {
  const size = { name: 'Standard-1X', memory: GiB / 2 }
  assert.match(waitingForRoom(size, GiB), /no room for a Standard-1X dyno \(512 MB\)/)
  assert.match(waitingForRoom(size, GiB / 4), /too small for a Standard-1X dyno/)
})

function waiting(quotas: readonly number[]): Candidate[] {
  return quotas.map((memory, at) => ({ id: `${at}` as DynoId, memory }))
}
