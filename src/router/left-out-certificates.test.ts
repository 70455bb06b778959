import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, later, MINUTE } from '../lib/clock.ts'
import { jsonLog } from '../lib/log.ts'
import { LeftOutCertificates } from './left-out-certificates.ts'

const bad = { hostname: 'bad.example.com', fingerprint: 'f0' }
const good = { hostname: 'good.example.com', fingerprint: 'f0' }

test('one that is left out is told of once, and tried again after a while', () => {
  const lines: string[] = []
  let now = new Date('2026-01-01T00:00:00Z')
  const leftOut = new LeftOutCertificates(
    { now: () => now },
    jsonLog('manager', (line) => lines.push(line)),
  )
  for (const at of [0, 5, 10]) {
    now = later(new Date('2026-01-01T00:00:00Z'), at * MINUTE)
    assert.equal(leftOut.isDue(bad), true)
    leftOut.add(bad, new Error('HAProxy refuses it'))
    assert.equal(leftOut.isDue(bad), false)
    assert.equal(leftOut.has(bad), true)
  }
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? '',
    /left out.*"hostname":"bad\.example\.com".*HAProxy refuses it/,
  )
  assert.equal(leftOut.has(good), false)
  assert.equal(leftOut.isDue(good), true)

  leftOut.keepThose([good, { ...bad, fingerprint: 'f1' }])
  assert.equal(leftOut.has(bad), false, 'it is wanted no more, and still known')
})

test('one is tried again after a while although the clock was set back', () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const log = jsonLog('manager', () => {})
  const leftOut = new LeftOutCertificates({ now: () => now }, log)
  leftOut.add(bad, new Error('HAProxy refuses it'))
  now = later(now, -HOUR)
  assert.equal(leftOut.isDue(bad), true)
})
