import assert from 'node:assert/strict'
import { test } from 'node:test'

import { after, type Batch, lastLines, matches, withoutReturns } from './batch.ts'

function aBatch(
  first: number,
  ps: string,
  lines: readonly string[],
  source = 'app',
): Batch {
  return { first, source, ps, count: lines.length, text: `${lines.join('\n')}\n` }
}

test('a process type matches all its dynos, a dyno only itself', () => {
  const line = aBatch(1, 'web.11', ['x'])
  assert.ok(matches({}, line))
  assert.ok(matches({ dyno: 'web' }, line))
  assert.ok(matches({ dyno: 'web.11', source: 'app' }, line))
  assert.ok(!matches({ dyno: 'web.1' }, line))
  assert.ok(!matches({ dyno: 'we' }, line))
  assert.ok(!matches({ source: 'heroku' }, line))
})

test('lines are counted after they are filtered', () => {
  const batches = [
    aBatch(1, 'web.1', ['a', 'b', 'c']),
    aBatch(4, 'router', ['r'], 'heroku'),
    aBatch(5, 'web.2', ['d']),
    aBatch(6, 'router', ['s', 't'], 'heroku'),
  ]
  assert.deepEqual(lastLines(batches, { dyno: 'web' }, 3), [
    aBatch(2, 'web.1', ['b', 'c']),
    aBatch(5, 'web.2', ['d']),
  ])
  assert.deepEqual(lastLines(batches, { source: 'heroku' }, 0), [])
  assert.deepEqual(lastLines(batches, {}, 99), batches)
})

test('after a number come only the lines above it', () => {
  const batch = aBatch(5, 'web.1', ['a', 'b'])
  assert.equal(after(4, batch), batch)
  assert.deepEqual(after(5, batch), aBatch(6, 'web.1', ['b']))
  assert.equal(after(6, batch), undefined)
})

test('returns before a newline go, others become spaces', () => {
  assert.equal(withoutReturns('a\r\r\nb\rc\r\r\n\r\nd\r'), 'a\nb c\n\nd ')
  assert.equal(withoutReturns('\r\n\xe9\r'), '\n\xe9 ')
})

test('a dyno may print nothing but returns', () => {
  // With a look at all that follow from each of them it takes an hour.
  const returns = '\r'.repeat(4 * 1024 ** 2)
  assert.equal(withoutReturns(`${returns}x`), `${' '.repeat(returns.length)}x`)
  assert.equal(withoutReturns(`${returns}\n`), '\n')
})
