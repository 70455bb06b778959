import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { GiB } from '../lib/bytes.ts'
import {
  type Amount,
  type Candidate,
  fits,
  NOTHING,
  placeable,
  roomOf,
  sumOf,
  waitingForRoom,
} from './capacity.ts'
import type { DynoId } from './ids.ts'

test('of memory a gigabyte is kept back, of a small machine a quarter', () => {
  const rooms: readonly [number, number, number][] = [
    [16 * GiB, 1, 15 * GiB],
    [2 * GiB, 1, 1.5 * GiB],
    [16 * GiB, 2, 30 * GiB],
    [Infinity, 1, Infinity],
  ]
  for (const [memory, factor, room] of rooms) {
    const promised = roomOf({ memory, disk: 7 }, { memory: factor, disk: 3 })
    assert.deepEqual(promised, { memory: room, disk: 21 })
  }
})

/** `2w` a web dyno of 2, `1` another, `1+` one that carries on; how much there is; who is placed. */
const cases: readonly [
  string,
  { room: number; used?: number; largestWeb?: number },
  string,
][] = [
  ['1 1 1', { room: 2 }, '1 1'],
  ['1 1', { room: 2, used: 2 }, ''],
  // The large one at the head is not overtaken, for it would starve.
  ['4 1', { room: 5, used: 2 }, ''],
  // One that can never fit holds nobody up.
  ['9 1 1', { room: 5, used: 3 }, '1 1'],
  // A machine that was promised too much already.
  ['1', { room: 5, used: 7 }, ''],
  // Room for a successor is kept free…
  ['1w 1w 1w', { room: 3 }, '1w 1w'],
  ['1 1', { room: 5, used: 3, largestWeb: 1 }, '1'],
  // … and is there for it.
  ['1w+ 1', { room: 3, used: 2, largestWeb: 1 }, '1w+'],
  ['1+', { room: 3, used: 2, largestWeb: 2 }, '1+'],
  // A machine that holds one dyno only has it.
  ['2w', { room: 3 }, '2w'],
]

/** Of the other kind there is plenty. */
const scarce: Readonly<Record<string, (amount: number) => Amount>> = {
  memory: (memory) => ({ memory, disk: 0 }),
  disk: (disk) => ({ memory: 0, disk }),
}

for (const [kind, of] of Object.entries(scarce)) {
  for (const [quotas, { room, used = 0, largestWeb = 0 }, expected] of cases) {
    test(`${quotas} of ${kind} into ${room}, of which ${used} are used`, () => {
      const all = quotas.split(' ').map((text, at) => candidate(text, at, of))
      const promised = { room: of(room), used: of(used), largestWeb: of(largestWeb) }
      const placed = new Set(placeable(all, promised))
      const shown = quotas.split(' ').filter((_, at) => placed.has(`${at}` as DynoId))
      assert.equal(shown.join(' '), expected)
    })
  }
}

const both = (amount: number) => ({ memory: amount, disk: 2 * amount })

test('what is placed always fits', () => {
  const quota = fc.tuple(fc.nat(64), fc.constantFrom('', 'w', '+', 'w+'))
  fc.assert(
    fc.property(fc.array(quota), fc.nat(200), fc.nat(200), (quotas, room, used) => {
      const all = quotas.map(([amount, kind], at) =>
        candidate(`${amount}${kind}`, at, both),
      )
      // Of either there may be less.
      for (const disk of [room, 2 * room, 3 * room]) {
        const promised = { room: { memory: room, disk }, used: both(used) }
        const placed = new Set(placeable(all, { ...promised, largestWeb: both(0) }))
        const needs = all.filter((it) => placed.has(it.id)).map((it) => it.needs)
        assert.ok(placed.size === 0 || fits(sumOf(both(used), ...needs), promised.room))
      }
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})

test('the log tells what is missing', () => {
  const size = { name: 'Standard-1X' }
  const told = (memory: number, disk: number, used: Amount = NOTHING) =>
    waitingForRoom(
      size,
      { memory: GiB / 2, disk: 2 * GiB },
      { room: { memory, disk }, used },
    )
  const all = { memory: GiB, disk: 8 * GiB }
  assert.match(
    told(GiB, 99 * GiB, all),
    /memory has no room for a Standard-1X dyno \(512 MB\)/,
  )
  assert.match(told(GiB / 4, Infinity), /memory is too small for a Standard-1X dyno/)
  assert.match(
    told(2 * GiB, 9 * GiB, all),
    /disk has no room for a Standard-1X dyno \(2048 MB\)/,
  )
  assert.match(told(2 * GiB, GiB), /disk is too small for a Standard-1X dyno/)
})

function candidate(text: string, at: number, of: (amount: number) => Amount): Candidate {
  return {
    id: `${at}` as DynoId,
    needs: of(Number.parseInt(text, 10)),
    isWeb: text.includes('w'),
    carriesOn: text.includes('+'),
  }
}
