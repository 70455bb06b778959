import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { followLimits, readLimits } from './follow-limits.ts'
import { Refusal } from './refusal.ts'
import { followSettings, letPartsRead } from './settings-file.ts'

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

test('a file that can no longer be read is told of once, and what it said holds', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const file = {
    path: join(directory, 'unreadable'),
    understand: (text: string) => text,
    usual: 'open',
  }
  const errors: unknown[] = []
  const log = { ...silentLog, error: (_: string, error: unknown) => errors.push(error) }
  writeFileSync(file.path, 'closed')
  const settings = followSettings(file, { log, signal: stop.signal })
  // To root all files can be read; a directory is none.
  rmSync(file.path)
  mkdirSync(file.path)
  for (let looks = 0; looks < 3; looks++) t.mock.timers.tick(SECOND)
  assert.equal(settings(), 'closed')
  assert.match(
    errors.join(),
    /^Refusal: \S+unreadable can't be used: EISDIR[^,]*, read\.$/,
  )
  const start = () => followSettings(file, { log, signal: stop.signal })
  assert.throws(start, (error) => error instanceof Refusal)

  rmSync(file.path, { recursive: true })
  writeFileSync(file.path, 'closed again')
  t.mock.timers.tick(SECOND)
  assert.equal(settings(), 'closed again')
})

test('parts are let read a file that was written for root alone, where they can get to it', () => {
  const file = join(directory, 'api.json')
  letPartsRead(file)
  writeFileSync(file, '{}')
  chmodSync(file, 0o640)
  letPartsRead(file)
  assert.equal(modeOf(file), 0o644)

  const theirs = mkdtempSync(join(directory, 'theirs-'))
  const link = join(directory, 'link.json')
  writeFileSync(join(theirs, 'api.json'), '{}', { mode: 0o600 })
  symlinkSync(join(theirs, 'api.json'), link)
  assert.throws(
    () => letPartsRead(link),
    (error) =>
      error instanceof Refusal &&
      error.message ===
        `${link} can't be used: Mayfly's own users can't get into ${theirs}, where it leads.`,
  )
  assert.equal(modeOf(link), 0o600)
})

const modeOf = (file: string) => statSync(file).mode & 0o777
