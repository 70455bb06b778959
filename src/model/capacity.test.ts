import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import {
  type Candidate,
  placeable,
  type Promised,
  roomOf,
  waitingForRoom,
} from './capacity.ts'
import type { DynoId } from './ids.ts'

const GiB = 1024 ** 3

test('a gigabyte is kept back, of a small machine a quarter', () => {
  assert.equal(roomOf(16 * GiB, 1), 15 * GiB)
  assert.equal(roomOf(2 * GiB, 1), 1.5 * GiB)
  assert.equal(roomOf(16 * GiB, 2), 30 * GiB)
  assert.equal(roomOf(Infinity, 1), Infinity)
})

/** `2w` a web dyno of 2, `1` another, `1+` one that carries on; what there is; who is placed. */
const cases: readonly [string, Promised, string][] = [
  ['1 1 1', machine(2), '1 1'],
  ['1 1', machine(2, { used: 2 }), ''],
  // The large one at the head is not overtaken, for it would starve.
  ['4 1', machine(5, { used: 2 }), ''],
  // One that can never fit holds nobody up.
  ['9 1 1', machine(5, { used: 3 }), '1 1'],
  // A machine that was promised too much already.
  ['1', machine(5, { used: 7 }), ''],
  // Room for a successor is kept free…
  ['1w 1w 1w', machine(3), '1w 1w'],
  ['1 1', machine(5, { used: 3, largestWeb: 1 }), '1'],
  // … and is there for it.
  ['1w+ 1', machine(3, { used: 2, largestWeb: 1 }), '1w+'],
  ['1+', machine(3, { used: 2, largestWeb: 2 }), '1+'],
  // A machine that holds one dyno only has it.
  ['2w', machine(3), '2w'],
]

for (const [quotas, promised, expected] of cases) {
  test(`${quotas} into ${JSON.stringify(promised)}`, () => {
    const all = quotas.split(' ').map(candidate)
    const placed = new Set(placeable(all, promised))
    const shown = quotas.split(' ').filter((_, at) => placed.has(`${at}` as DynoId))
    assert.equal(shown.join(' '), expected)
  })
}

test('what is placed always fits', () => {
  const quota = fc.tuple(fc.nat(64), fc.constantFrom('', 'w', '+', 'w+'))
  fc.assert(
    fc.property(fc.array(quota), fc.nat(200), fc.nat(200), (quotas, room, used) => {
      const all = quotas.map(([memory, kind], at) => candidate(`${memory}${kind}`, at))
      const placed = new Set(placeable(all, machine(room, { used })))
      const sum = all
        .filter((it) => placed.has(it.id))
        .reduce((bytes, it) => bytes + it.memory, 0)
      assert.ok(placed.size === 0 || used + sum <= room)
    }),
  )
})

test('the log tells what is missing', () => {
  const size = { name: 'Standard-1X', memory: GiB / 2 }
  assert.match(waitingForRoom(size, GiB), /no room for a Standard-1X dyno \(512 MB\)/)
  assert.match(waitingForRoom(size, GiB / 4), /too small for a Standard-1X dyno/)
})

function machine(room: number, but: Partial<Promised> = {}): Promised {
  return { room, used: 0, largestWeb: 0, ...but }
}

function candidate(text: string, at: number): Candidate {
  return {
    id: `${at}` as DynoId,
    memory: Number.parseInt(text, 10),
    isWeb: text.includes('w'),
    carriesOn: text.includes('+'),
  }
}
