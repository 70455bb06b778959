/** Dynos share the processors by their size, and nobody is held to his share while others need less. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { until } from '../../../test/until.ts'
import { MINUTE } from '../../lib/clock.ts'
import { hierarchy, presentCgroups } from '../../lib/cgroup-mounts.ts'
import type { DynoId } from '../../model/ids.ts'
import { sizeNamed } from '../../model/size.ts'
import { machineNames } from './machine-names.ts'

const { signal } = new AbortController()
const { options, runtime, started, statusOf } = await aLocalRuntime()
const cgroups = presentCgroups()
const { cgroup } = machineNames(options.installation, options.region)
/** Others may keep the machine busy, too. */
const PATIENCE = 2 * MINUTE
/** Keeps every processor busy that there is, and more. */
const BUSY = 'for n in $(seq 8); do (while :; do :; done) & done; wait'
/** One of those that there are for us: how the kernel spreads all of a dyno's over several takes it seconds, or longer. */
const [, CPU] =
  /^Cpus_allowed_list:\t(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []

test('two that are as busy as can be have a processor as their sizes are', async (t) => {
  const pinned = `taskset -c ${CPU} sh -c '${BUSY}'`
  const [one, four] = await Promise.all([withShare(1, pinned), withShare(4, pinned)])
  t.after(() => Promise.all([one, four].map((it) => runtime.remove(it, signal))))
  assert.deepEqual(
    [weightOf(one), weightOf(four)],
    cgroups.version === 2 ? [100, 400] : [1024, 4096],
  )
  const used = () => [usedBy(one), usedBy(four)] as const
  // One may have begun all that it runs before the other has.
  await until('both are busy', () => Math.min(...used()) > 0.3, PATIENCE)
  const first = used()
  await until('they have had two seconds', () => sum(used()) - sum(first) > 2, PATIENCE)
  const last = used()
  const ratio = (last[1] - first[1]) / (last[0] - first[0])
  assert.ok(ratio > 3 && ratio < 5, `${ratio} times`)
})

test('one has what others leave, beyond its share: it has no quota', async () => {
  const [busy, idle] = await Promise.all([
    withShare(1),
    withShare(4, 'echo ready; sleep 1000'),
  ])
  // What it takes to start is not measured.
  await until('it is idle', async () => {
    const { text } = await runtime.output(idle, 0, signal)
    return text === 'ready\n'
  })
  const first = [usedBy(busy), usedByRegion()] as const
  await until('it has had half a second', () => usedBy(busy) - first[0] > 0.5, PATIENCE)
  const last = [usedBy(busy), usedByRegion()] as const
  const part = (last[0] - first[0]) / (last[1] - first[1])
  assert.ok(part > 0.9, `${part} of what the region used`)
  for (const it of [busy, idle]) {
    for (const below of ['', 'dyno'])
      assert.equal(quotaAt(join(at(it), below)), undefined)
    await runtime.remove(it, signal)
  }
})

async function withShare(cpuShare: number, command = BUSY): Promise<DynoId> {
  const size = sizeNamed('standard-1x')
  assert.ok(size)
  const { id } = await started(command, { size: { ...size, cpuShare } })
  await until('it runs', async () => (await statusOf(id))?.is === 'running')
  return id
}

function at(id: DynoId): string {
  return join(hierarchy(cgroups, 'cpu'), cgroup, id)
}

function weightOf(id: DynoId): number {
  const file = cgroups.version === 2 ? 'cpu.weight' : 'cpu.shares'
  return Number(readFileSync(join(at(id), file), 'utf8'))
}

const usedBy = (id: DynoId) => usedAt(at(id))
const usedByRegion = () => usedAt(join(hierarchy(cgroups, 'cpu'), cgroup))

/** Seconds of processors. */
function usedAt(directory: string): number {
  if (cgroups.version === 1) {
    const cpuacct = directory.replace(
      hierarchy(cgroups, 'cpu'),
      hierarchy(cgroups, 'cpuacct'),
    )
    return Number(readFileSync(join(cpuacct, 'cpuacct.usage'), 'utf8')) / 1e9
  }
  const [, used] =
    /^usage_usec (\d+)$/m.exec(readFileSync(join(directory, 'cpu.stat'), 'utf8')) ?? []
  return Number(used) / 1e6
}

function quotaAt(directory: string): string | undefined {
  const file = join(directory, cgroups.version === 2 ? 'cpu.max' : 'cpu.cfs_quota_us')
  if (!existsSync(file)) return undefined
  const quota = readFileSync(file, 'utf8').trim().split(' ')[0]
  return quota === 'max' || quota === '-1' ? undefined : quota
}

function sum([one, other]: readonly [number, number]): number {
  return one + other
}
