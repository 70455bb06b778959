import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import { newId } from '../../model/ids.ts'
import { dynoCgroups } from './cgroups.ts'

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
