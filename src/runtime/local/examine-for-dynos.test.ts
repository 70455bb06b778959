import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import type { Finding } from '../../lib/finding.ts'
import { cgroupFindings, coreDumpFinding } from './examine-for-dynos.ts'

const mount = mkdtempSync(join(tmpdir(), 'mayfly-cgroup-'))
after(() => rmSync(mount, { recursive: true }))

test('cgroups of version 2 are known by what is mounted', () => {
  writeFileSync(join(mount, 'cgroup.controllers'), 'cpuset cpu io memory\n')
  const hierarchies = new Map([['unified', mount]])
  const found = cgroupFindings({
    version: 2,
    hybridMount: undefined,
    limitsSwap: true,
    hierarchies,
  })
  assert.deepEqual(lacking(found), ['cgroup pids'])
})

test('cgroups of version 1 are known by their hierarchies', () => {
  const hierarchies = new Map([
    ['cpu', mount],
    ['pids', mount],
    ['unified', mount],
  ])
  const found = cgroupFindings({
    version: 1,
    hybridMount: mount,
    limitsSwap: false,
    hierarchies,
  })
  assert.deepEqual(lacking(found), ['cgroup memory'])
})

test('who is given a dyno`s memory when it crashes is a lack of the machine`s', () => {
  const apport = '|/usr/share/apport/apport -p%p'
  for (const [pattern, most, isLack] of [
    ['core', 0, false],
    ['/var/crash/core.%p', Infinity, false],
    [apport, 1, false],
    [apport, Infinity, false],
    [apport, 0, true],
    ['@/run/dumps.socket', Infinity, true],
    ['@@/run/dumps.socket', 0, true],
  ] as const) {
    const { lacks, needed } = coreDumpFinding(pattern, most)
    assert.equal(lacks !== undefined, isLack, pattern)
    assert.equal(needed, false)
  }
})

function lacking(found: readonly Finding[]): string[] {
  return found.filter((it) => it.lacks !== undefined).map((it) => it.what)
}
