import assert from 'node:assert/strict'
import { test } from 'node:test'

import { normalised } from './schema.ts'

test('what varies between dumps of the same schema is left out', () => {
  const one =
    '-- PostgreSQL 15\n\nSET a = 1;\n\\restrict abc\n\nCREATE TABLE t (\n    a int\n);\n\n\n\n-- Name\n'
  const other =
    '--\n-- PostgreSQL 17\n\n\n\nCREATE TABLE t (\n    a int\n);\n\\unrestrict\n'
  assert.equal(normalised(one), normalised(other))
  assert.match(normalised(one), /\n\nCREATE TABLE t \(\n {4}a int\n\);\n$/)
})
