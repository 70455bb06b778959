import assert from 'node:assert/strict'
import { test } from 'node:test'

import { splitFrames } from './octet-frames.ts'

test('frames are taken apart, the last may be incomplete', () => {
  assert.deepEqual(splitFrames('5 hello0 3 a b7 incom'), {
    records: ['hello', '', 'a b'],
    rest: '7 incom',
  })
  assert.deepEqual(splitFrames('12'), { records: [], rest: '12' })
})

test('what is not counted is refused', () => {
  assert.equal(splitFrames('<134>Jan 1 message'), undefined)
  assert.equal(splitFrames('5 hello x'), undefined)
  assert.equal(splitFrames('99999999999'), undefined)
})
