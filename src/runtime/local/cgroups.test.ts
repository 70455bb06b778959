import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { newId } from '../../model/ids.ts'
import { cgroupsOf, dynoCgroups, presentCgroups } from './cgroups.ts'

test('version 2 is one hierarchy', () => {
  const { version, hybridMount } = cgroupsOf(
    'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n',
  )
  assert.deepEqual([version, hybridMount], [2, undefined])
})

test('hybrid is version 1 with a mount that crun must not see', () => {
  const { version, hybridMount, hierarchies } = cgroupsOf(
    `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`,
  )
  assert.deepEqual([version, hybridMount], [1, '/sys/fs/cgroup/unified'])
  assert.deepEqual(Object.fromEntries(hierarchies), {
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
    'name=systemd': '/sys/fs/cgroup/systemd',
    unified: '/sys/fs/cgroup/unified',
  })
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
