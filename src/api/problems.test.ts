import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { statusOf } from '../model/problem.ts'

test('docs/api/problems.md lists every problem with its status', () => {
  const file = join(import.meta.dirname, '../../docs/api/problems.md')
  const rows = readFileSync(file, 'utf8').matchAll(/^\| `(\w+)` +\| (\d+) +\|/gm)
  const documented = [...rows].map(([, id, status]) => [id, Number(status)])
  assert.deepEqual(documented, Object.entries(statusOf))
})
