import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { type Cgroups, hierarchy, presentCgroups } from '../lib/cgroup-mounts.ts'
import { ensurePartCgroup, enterPartCgroup, removePartCgroup } from './part-cgroup.ts'
import { gitMemory } from './parts.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const bounds = {
  cgroup: `mayfly-${process.pid}/part.git`,
  memory: 64 * MIB,
  cpuShare: 0.5,
}
const present = presentCgroups()
const memory = join(hierarchy(present, 'memory'), bounds.cgroup)

test('what a part starts has its bound of memory, and ends with its cgroup', async (t) => {
  t.after(() => removePartCgroup(bounds))
  ensurePartCgroup(bounds)
  ensurePartCgroup(bounds)
  const part = spawn('sh', [
    '-c',
    'read go; sleep 1000 & python3 -c "bytes(1) * (1 << 28)"; echo $?; wait',
  ])
  enterPartCgroup(part.pid ?? 0, bounds)
  part.stdin.end('go\n')
  const [said] = (await once(part.stdout, 'data')) as [Buffer]
  assert.equal(said.toString(), '137\n')
  assert.equal(pidsIn(memory).length, 2)

  const ended = once(part, 'exit')
  await removePartCgroup(bounds)
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  for (const at of present.hierarchies.values()) {
    assert.equal(existsSync(join(at, `mayfly-${process.pid}`)), false)
  }
})

test('a part that is gone by now enters nothing, and no cgroup is no error', async () => {
  const gone: ChildProcess = spawn('true')
  await once(gone, 'exit')
  ensurePartCgroup(bounds)
  assert.doesNotThrow(() => enterPartCgroup(gone.pid ?? 0, bounds))
  assert.deepEqual(pidsIn(memory), [])
  await assert.doesNotReject(removePartCgroup(bounds))
  await assert.doesNotReject(removePartCgroup(bounds))
})

test('of version 2 each cgroup above hands its controllers down', (t) => {
  const at = mkdtempSync(join(tmpdir(), 'cgroup2-'))
  t.after(() => rmSync(at, { recursive: true }))
  const cgroups: Cgroups = {
    version: 2,
    hybridMount: undefined,
    hierarchies: new Map([['unified', at]]),
    limitsSwap: true,
  }
  mkdirSync(join(at, bounds.cgroup), { recursive: true })
  writeFileSync(join(at, bounds.cgroup, 'memory.swap.max'), 'max')
  ensurePartCgroup(bounds, cgroups)
  const written = (file: string) => readFileSync(join(at, file), 'utf8')
  for (const above of ['', `mayfly-${process.pid}`]) {
    assert.equal(written(join(above, 'cgroup.subtree_control')), '+memory')
  }
  assert.equal(existsSync(join(at, bounds.cgroup, 'cgroup.subtree_control')), false)
  assert.equal(written(join(bounds.cgroup, 'memory.max')), String(64 * MIB))
  assert.equal(written(join(bounds.cgroup, 'memory.swap.max')), '0')
  assert.equal(written(join(bounds.cgroup, 'cpu.weight')), '50')
})

test('git has a quarter of the machine, or room for one large pack where there is that', () => {
  assert.deepEqual(
    [2, 4, 8, 24].map((it) => gitMemory(it * GIB) / GIB),
    [1, 2, 2, 6],
  )
})

function pidsIn(directory: string): string[] {
  return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)
}
