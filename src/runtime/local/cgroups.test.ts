import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import { newId } from '../../model/ids.ts'
import { dynoCgroups, MONITOR_MEMORY } from './cgroups.ts'

test('what monitors take of memory has a limit of its own, on version 2 in the same hierarchy', async (t) => {
  const unified = mkdtempSync(join(tmpdir(), 'mayfly-cgroup-'))
  t.after(() => rmSync(unified, { recursive: true }))
  const hierarchies = new Map([['unified', unified]])
  const cgroups = {
    version: 2,
    hybridMount: undefined,
    hierarchies,
    limitsSwap: true,
  } as const
  const id = newId<'dyno'>()
  const group = dynoCgroups(cgroups, 'mayfly', id)
  assert.deepEqual(group.monitorProcs, [
    join(unified, 'mayfly', id, 'monitor', 'cgroup.procs'),
  ])
  const monitor = join(unified, 'mayfly', id, 'monitor')
  mkdirSync(monitor, { recursive: true })
  writeFileSync(join(monitor, 'memory.swap.max'), 'max')
  await group.ensureMonitor()
  const written = (file: string) =>
    readFileSync(join(unified, 'mayfly', id, file), 'utf8')
  assert.equal(written('cgroup.subtree_control'), '+memory')
  assert.equal(written('monitor/memory.max'), String(MONITOR_MEMORY))
  assert.equal(written('monitor/memory.swap.max'), '0')
})

test('a dyno`s cgroup goes once the last that was killed in it has ended', async (t) => {
  const cgroups = presentCgroups()
  const hierarchy = cgroups.hierarchies.get(cgroups.version === 2 ? 'unified' : 'pids')
  const region = `mayfly-${process.pid}`
  const group = dynoCgroups(cgroups, region, newId<'dyno'>())
  const own = join(hierarchy ?? '', group.path)
  const inside = spawn('sleep', ['100'], { stdio: 'ignore' })
  t.after(() => {
    inside.kill('SIGKILL')
    rmdirSync(join(hierarchy ?? '', region))
  })
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'cgroup.procs'), String(inside.pid))
  // It stands for one whose threads still end: the kernel has the same answer for both.
  setTimeout(() => inside.kill('SIGKILL'), 200)
  await group.remove()
  assert.equal(existsSync(dirname(own)), false)
})
