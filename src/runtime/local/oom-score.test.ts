/** Whom the kernel takes first where the machine's memory runs out. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { until } from '../../../test/until.ts'
import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import { newId } from '../../model/ids.ts'
import { dynoCgroups } from './cgroups.ts'
import { machineNames } from './machine-names.ts'

const { options, run, runtime, started } = await aLocalRuntime()
const { signal } = new AbortController()

test('what a dyno runs comes before what the host does', async () => {
  const { text } = await run(
    'cat /proc/1/oom_score_adj; exec cat /proc/self/oom_score_adj',
  )
  assert.equal(text, '500\n500\n')
})

test('and so does what is started inside it', async () => {
  const dyno = await started('exec sleep 1000')
  const command = 'exec sleep 2000'
  const entry = { id: newId<'entry'>(), command, environment: {} }
  await runtime.enter(dyno.id, { ...entry, terminal: undefined }, signal)
  const { cgroup } = machineNames(options.installation, options.region)
  const group = dynoCgroups(presentCgroups(), cgroup, dyno.id)
  const inside = () =>
    group.processes().find((pid) => told(pid, 'cmdline').includes('2000')) ?? 0
  await until('it runs', () => inside() > 0)
  assert.equal(told(inside(), 'oom_score_adj'), '500\n')
  await runtime.remove(dyno.id, signal)
})

function told(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8')
}
