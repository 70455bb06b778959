import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { bringEndedLogs } from './bring-ended-logs.ts'

test('what an earlier version left of ended dynos is read where they end now', () => {
  const root = mkdtempSync(join(tmpdir(), 'mayfly-ended-'))
  const [from, to] = [join(root, 'logs', 'ended'), join(root, 'ended-logs')]
  bringEndedLogs(from, to)
  assert.ok(!existsSync(to))
  mkdirSync(from, { recursive: true })
  writeFileSync(join(from, 'a.log'), '')
  bringEndedLogs(from, to)
  assert.deepEqual(readdirSync(to), ['a.log'])
  assert.ok(!existsSync(from))
  rmSync(root, { recursive: true })
})
