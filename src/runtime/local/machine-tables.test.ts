import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { GiB } from '../../lib/bytes.ts'
import { silentLog } from '../../lib/log.ts'
import { ensureTables, TABLES, tablesFor } from './machine-tables.ts'

test('all dynos for which there is memory leave a quarter of each table free', () => {
  const [own, large] = [needed(24 * GiB), needed(128 * GiB)]
  assert.deepEqual(own.slice(0, 3), [262_144, 128, 4096])
  assert.deepEqual(large.slice(0, 3), [1_398_102, 683, 21_846])
})

test('what takes memory ends with that sooner than with its table', () => {
  assert.deepEqual(
    needed(24 * GiB).slice(3),
    [4_194_304, 100_663_296, 805_306_368, 50_331_648, 402_653_184, 50_331_648],
  )
  const most = needed(4096 * GiB).slice(-3)
  assert.deepEqual(most, [2_147_483_647, 2_147_483_647, 2_147_483_647])
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

test('what lies in sockets takes memory, where cgroups count it as that', (t) => {
  // As the kernel makes them for 24 GB.
  const before = {
    tcp_mem: '287901\t383868\t575802\n',
    udp_mem: '575802\t767736\t1151604\n',
  }
  const all = (24 * GiB) / 4096
  const after = { tcp_mem: `287901 383868 ${all}`, udp_mem: `${all} ${all} ${all}` }
  for (const [version, wanted] of [
    [1, before],
    [2, after],
  ] as const) {
    const below = mkdtempSync(join(tmpdir(), 'tables-'))
    t.after(() => rmSync(below, { recursive: true }))
    const at = (name: string) => join(below, 'net', 'ipv4', name)
    mkdirSync(join(below, 'net', 'ipv4'), { recursive: true })
    for (const [name, text] of Object.entries(before)) writeFileSync(at(name), text)
    ensureTables(24 * GiB, silentLog, { tables: tablesFor(version), below })
    for (const [name, text] of Object.entries(wanted)) {
      assert.equal(readFileSync(at(name), 'utf8'), text, `version ${version}: ${name}`)
    }
    // Larger ones stay.
    writeFileSync(at('tcp_mem'), '1 2 99999999\n')
    writeFileSync(at('udp_mem'), `1 99999999 99999999\n`)
    ensureTables(24 * GiB, silentLog, { tables: tablesFor(version), below })
    assert.equal(readFileSync(at('tcp_mem'), 'utf8'), '1 2 99999999\n')
    const udp = version === 1 ? '1 99999999 99999999\n' : `${all} 99999999 99999999`
    assert.equal(readFileSync(at('udp_mem'), 'utf8'), udp)
  }
})

test('this kernel has all of these tables', () => {
  for (const { setting } of tablesFor(2)) {
    const file = join('/proc/sys', ...setting.split('.'))
    if (!setting.startsWith('net.netfilter.')) assert.ok(existsSync(file), setting)
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
    "all dynos together could use up this machine's capabilities: sysctl 'kernel.cap_last_cap=1000'",
  ])
})

function needed(memory: number): number[] {
  return TABLES.map((it) => it.needed(memory))
}
