import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeOutput } from './dyno-output.ts'

const record = (flag: string, text: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`2026-01-01T00:00:00.000000000+00:00 stdout ${flag} `),
    Buffer.from(text),
    Buffer.from('\n'),
  ])

test('whole lines have a newline, parts none', () => {
  const log = Buffer.concat([record('F', 'one'), record('P', 'tw'), record('F', 'o')])
  assert.deepEqual(decodeOutput(log), { text: 'one\ntwo\n', used: log.length })
})

test('half a record waits', () => {
  const whole = record('F', 'one')
  const log = Buffer.concat([whole, record('F', 'two').subarray(0, 20)])
  assert.deepEqual(decodeOutput(log), { text: 'one\n', used: whole.length })
})

test('an empty line is one', () => {
  assert.equal(decodeOutput(record('F', '')).text, '\n')
})

test('a part that ends within a character waits for the rest of it', () => {
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)]
  const line = record('F', 'one')
  const part = record('P', Buffer.concat([Buffer.from('caf'), first]))
  const torn = Buffer.concat([line, part])
  assert.deepEqual(decodeOutput(torn), { text: 'one\n', used: line.length })
  const rest = Buffer.concat([part, record('F', second)])
  assert.deepEqual(decodeOutput(rest), { text: 'café\n', used: rest.length })
})

test('nothing is nothing', () => {
  assert.deepEqual(decodeOutput(Buffer.alloc(0)), { text: '', used: 0 })
})
