import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { followLimits, readLimits } from './follow-limits.ts'
import { Refusal } from './refusal.ts'
import { followSettings } from './settings-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-settings-'))
const path = join(directory, 'sizes.json')
const stop = new AbortController()
after(() => {
  stop.abort()
  rmSync(directory, { recursive: true })
})

test('a changed file is taken up, a broken one is not, and at first it is refused', async () => {
  const errors: unknown[] = []
  const log = { ...silentLog, error: (_: string, error: unknown) => errors.push(error) }
  const following = { log, signal: stop.signal }
  const limits = followLimits(path, following)
  assert.equal(limits(), HEROKU_LIMITS)

  writeFileSync(path, '{"limits": {"dynosPerApp": 7}}')
  await until('it is taken up', () => limits().dynosPerApp === 7)
  writeFileSync(path, '{"limits": {"dynosPerApp": "many"}}')
  await until('it is reported', () => errors.length === 1)
  assert.equal(limits().dynosPerApp, 7)
  for (const start of [() => readLimits(path), () => followLimits(path, following)]) {
    assert.throws(
      start,
      (error) =>
        error instanceof Refusal &&
        error.message.startsWith(`${path} can't be used: dynosPerApp of limits must be`),
    )
  }
})

test('a file that is not there for a moment is still what it was', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const file = {
    path: join(directory, 'other'),
    understand: (text: string) => text,
    usual: 'open',
  }
  writeFileSync(file.path, 'closed')
  let changes = 0
  const settings = followSettings(file, {
    log: silentLog,
    signal: stop.signal,
    changed: () => (changes += 1),
  })
  const looked = () => {
    t.mock.timers.tick(SECOND)
    return settings()
  }
  rmSync(file.path)
  assert.equal(looked(), 'closed')
  writeFileSync(file.path, 'closed again')
  assert.equal(looked(), 'closed again')
  assert.equal(looked(), 'closed again')
  rmSync(file.path)
  assert.equal(looked(), 'closed again')
  assert.equal(looked(), 'open')
  assert.equal(changes, 2)
})
