import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { until } from '../../test/until.ts'
import { silentLog } from '../lib/log.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { followLimits, readLimits } from './follow-limits.ts'
import { Refusal } from './refusal.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-limits-'))
const file = join(directory, 'sizes.json')
const stop = new AbortController()
after(() => {
  stop.abort()
  rmSync(directory, { recursive: true })
})

test('a changed file is taken up, a broken one is not, and at first it is refused', async () => {
  const errors: unknown[] = []
  const log = { ...silentLog, error: (_: string, error: unknown) => errors.push(error) }
  const limits = followLimits(file, { log, signal: stop.signal })
  assert.equal(limits(), HEROKU_LIMITS)

  writeFileSync(file, '{"limits": {"dynosPerApp": 7}}')
  await until('it is taken up', () => limits().dynosPerApp === 7)
  writeFileSync(file, '{"limits": {"dynosPerApp": "many"}}')
  await until('it is reported', () => errors.length === 1)
  assert.equal(limits().dynosPerApp, 7)
  assert.throws(
    () => readLimits(file),
    (error) =>
      error instanceof Refusal &&
      /sizes.json can't be used: dynosPerApp/.test(error.message),
  )
})
