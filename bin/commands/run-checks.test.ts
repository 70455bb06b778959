import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tallyOf } from './run-checks.ts'

const summary =
  '1..2\n# tests 9\n# suites 1\n# pass 6\n# fail 2\n# cancelled 1\n# skipped 0\n'

test('the numbers are those of the summary; a cancelled test failed', () => {
  assert.deepEqual(tallyOf(summary, 1), { passed: 6, failed: 3 })
})

test('a run that failed without a failing test is counted', () => {
  assert.deepEqual(tallyOf('# pass 4\n# fail 0\n', 1), { passed: 4, failed: 1 })
  assert.deepEqual(tallyOf('', 1), { passed: 0, failed: 1 })
})
