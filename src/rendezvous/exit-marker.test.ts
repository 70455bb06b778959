import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { holdExitMarker } from './exit-marker.ts'

const MARKER = '\uFFFF heroku-command-exit-status: 17'

test('the marker arrives whole, however it is split', () => {
  const text = Buffer.from(`äöü \uFFFF no\n${MARKER}\r\nand on`)
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const parts = [
        text.subarray(0, first),
        text.subarray(first, second),
        text.subarray(second),
      ]
      const sent = sendingOf(parts)
      assert.deepEqual(Buffer.concat(sent), text)
      assert.equal(sent.filter((it) => it.toString() === MARKER).length, 1)
    }
  }
})

test('nothing is lost, added or moved', () => {
  const words = fc.constantFrom(
    'x',
    '\uFFFF',
    '\uFFFE',
    MARKER,
    ` ${MARKER}`,
    '\n',
    '12345678901',
  )
  const splits = fc.array(fc.nat(40))
  fc.assert(
    fc.property(fc.array(words), splits, (text, lengths) => {
      const whole = Buffer.from(text.join(''))
      const parts: Buffer[] = []
      let at = 0
      for (const length of lengths) parts.push(whole.subarray(at, (at += length)))
      parts.push(whole.subarray(at))
      assert.deepEqual(Buffer.concat(sendingOf(parts)), whole)
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})

test('ordinary text is not held back', () => {
  assert.equal(holdExitMarker(Buffer.from('a prompt> ')).held.length, 0)
  assert.equal(holdExitMarker(Buffer.from('\uFFFF?')).held.length, 0)
})

function sendingOf(parts: readonly Buffer[]): readonly Buffer[] {
  const sent: Buffer[] = []
  let held: Buffer = Buffer.alloc(0)
  for (const part of parts) {
    const next = holdExitMarker(Buffer.concat([held, part]))
    sent.push(...next.pieces)
    held = next.held
  }
  return [...sent, held]
}
