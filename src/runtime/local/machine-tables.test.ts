import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { GiB } from '../../lib/bytes.ts'
import { silentLog } from '../../lib/log.ts'
import { ensureTables, TABLES } from './machine-tables.ts'

test('all dynos for which there is memory leave a quarter of each table free', () => {
  const [own, large] = [needed(24 * GiB), needed(128 * GiB)]
  assert.deepEqual(own.slice(0, 3), [262_144, 128, 4096])
  assert.deepEqual(large.slice(0, 3), [1_398_102, 683, 21_846])
})

test('what takes memory ends with that sooner than with its table', () => {
  assert.deepEqual(
    needed(24 * GiB).slice(3),
    [4_194_304, 100_663_296, 805_306_368, 50_331_648, 402_653_184],
  )
  assert.deepEqual(needed(4096 * GiB).slice(-2), [2_147_483_647, 2_147_483_647])
})

test('a table is made larger, never smaller', (t) => {
  const below = mkdtempSync(join(tmpdir(), 'tables-'))
  t.after(() => rmSync(below, { recursive: true }))
  const file = join(below, 'net', 'netfilter', 'nf_conntrack_max')
  mkdirSync(dirname(file), { recursive: true })
  for (const [before, after] of [
    ['65536\n', 262_144],
    ['262144\n', 262_144],
    ['1000000\n', 1_000_000],
    ['0\n', 0],
  ] as const) {
    writeFileSync(file, before)
    ensureTables(24 * GiB, silentLog, { below })
    assert.equal(Number(readFileSync(file, 'utf8')), after)
  }
})

test('where that is not ours to do, the log says who can', () => {
  const errors: string[] = []
  const log = { info() {}, error: (message: string) => errors.push(message) }
  // A small number that nobody may change.
  const table = {
    setting: 'kernel.cap_last_cap',
    what: 'capabilities',
    needed: () => 1000,
  }
  ensureTables(GiB, log, { tables: [table] })
  assert.deepEqual(errors, [
    "all dynos together could use up this machine's capabilities: sysctl kernel.cap_last_cap=1000",
  ])
})

function needed(memory: number): number[] {
  return TABLES.map((it) => it.needed(memory))
}
