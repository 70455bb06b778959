import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { silentLog } from '../../lib/log.ts'
import { connectionsNeeded, ensureConnectionTable } from './connection-table.ts'

const GiB = 1024 ** 3

test('all dynos for which there is memory leave a quarter of the table free', () => {
  assert.equal(connectionsNeeded(24 * GiB), 262_144)
  assert.equal(connectionsNeeded(128 * GiB), 1_398_102)
})

test('a table is made larger, never smaller', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'connections-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'nf_conntrack_max')
  for (const [before, after] of [
    ['65536\n', 262_144],
    ['262144\n', 262_144],
    ['1000000\n', 1_000_000],
    ['0\n', 0],
  ] as const) {
    writeFileSync(file, before)
    ensureConnectionTable(24 * GiB, silentLog, file)
    assert.equal(Number(readFileSync(file, 'utf8')), after)
  }
})

test('where that is not ours to do, the log says who can', () => {
  const errors: string[] = []
  const log = { info() {}, error: (message: string) => errors.push(message) }
  // A small number that nobody may change.
  ensureConnectionTable(GiB, log, '/proc/sys/kernel/cap_last_cap')
  assert.equal(errors.length, 1)
  assert.match(errors[0] ?? '', /sysctl net\.netfilter\.nf_conntrack_max=10923$/)
})
