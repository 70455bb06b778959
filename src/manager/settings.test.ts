import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { HOUR } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import { settingsFrom } from './settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-settings-'))
const file = join(directory, 'manager.json')
const stop = new AbortController()
after(() => {
  stop.abort()
  rmSync(directory, { recursive: true })
})

test('without a file the timings are those of Heroku', () => {
  const settings = settingsFrom(join(directory, 'none'), {
    log: silentLog,
    changed() {},
    signal: stop.signal,
  })
  assert.equal(settings.timings().bootTimeout, HEROKU_TIMINGS.bootTimeout)
})

test('a changed file is taken up, a broken one is not', async () => {
  const errors: string[] = []
  const waiting: (() => void)[] = []
  const settings = settingsFrom(file, {
    log: { info() {}, error: (message) => errors.push(message) },
    changed: () => waiting.shift()?.(),
    signal: stop.signal,
  })
  const written = (text: string) =>
    new Promise<void>((resolve) => {
      waiting.push(resolve)
      writeFileSync(file, text)
    })

  await written(JSON.stringify({ clockOffset: 25 * HOUR, stopGrace: 1000 }))
  assert.equal(settings.timings().stopGrace, 1000)
  const ahead = settings.clock.now().getTime() - Date.now()
  assert.ok(Math.abs(ahead - 25 * HOUR) < HOUR)

  await written('{"stopGrace": "soon"}')
  assert.equal(settings.timings().stopGrace, 1000)
  assert.equal(errors.length, 1)

  await written('{"ociRuntimes": {"eu": "runc"}}')
  assert.deepEqual(['us', 'eu'].map(settings.ociRuntime), ['crun', 'runc'])
  for (const wrong of ['"runc"', 'null', '{"eu": "docker"}']) {
    await written(`{"ociRuntimes": ${wrong}}`)
    assert.equal(settings.ociRuntime('eu'), 'runc')
  }
  assert.equal(errors.length, 4)

  assert.deepEqual(settings.allowances(), { networks: [], closed: [], mail: false })
  const open = { networks: ['10.1.0.0/16', '10.2.0.9'], closed: ['8.8.8.8'], mail: true }
  await written(
    JSON.stringify({
      allowedNetworks: open.networks,
      closedNetworks: open.closed,
      allowMail: true,
    }),
  )
  assert.deepEqual(settings.allowances(), open)
  for (const wrong of [
    '"10.0.0.0/8"',
    '["10.0.0.0/33"]',
    '["fd00::/8"]',
    '["x; accept"]',
  ]) {
    await written(`{"allowedNetworks": ${wrong}}`)
    await written(`{"closedNetworks": ${wrong}}`)
    assert.deepEqual(settings.allowances(), open)
  }
  await written('{"allowMail": 1}')
  assert.equal(errors.length, 13)
})
