import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cgroupsOf } from './cgroup-mounts.ts'

test('version 2 is one hierarchy', () => {
  const { version, hybridMount } = cgroupsOf(
    'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n',
  )
  assert.deepEqual([version, hybridMount], [2, undefined])
})

const HYBRID = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`

test('hybrid is version 1 with a mount that crun must not see', () => {
  const { version, hybridMount, hierarchies } = cgroupsOf(HYBRID)
  assert.deepEqual([version, hybridMount], [1, '/sys/fs/cgroup/unified'])
  assert.deepEqual(Object.fromEntries(hierarchies), {
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
    'name=systemd': '/sys/fs/cgroup/systemd',
    unified: '/sys/fs/cgroup/unified',
  })
})

test('what a chroot has of it besides is not the machine`s', () => {
  const copies = HYBRID.replaceAll(' /sys', ' /srv/chroot/sys')
  assert.deepEqual(cgroupsOf(HYBRID + copies), cgroupsOf(HYBRID))
})
