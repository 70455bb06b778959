/** How much a hostile dyno takes: it ends at a limit, and a neighbour goes on. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { SECOND } from '../../src/lib/clock.ts'
import type { DynoId } from '../../src/model/ids.ts'
import { OCI_RUNTIMES } from '../../src/model/oci-runtimes.ts'
import { presentCgroups } from '../../src/lib/cgroup-mounts.ts'
import { MONITOR_MEMORY, TCP_LIMIT } from '../../src/runtime/local/cgroups.ts'
import { machineNames } from '../../src/runtime/local/machine-names.ts'
import { until } from '../until.ts'
import { anAttack, NEIGHBOUR } from './an-attack.ts'
import { assertHeld, rowOf } from './rows.ts'

/** Cgroups of version 2 count it as memory. */
const COUNTED_APART = {
  skip: !existsSync(join(presentCgroups().hierarchies.get('memory') ?? '', TCP_LIMIT)),
}
/** Bytes: conmon begins anew when its log is so full, and a little more. */
const LARGEST_LOG = 66 * 1024 ** 2

/** How many kinds of it there are. */
const COUNTABLE = 4

const { signal } = new AbortController()
const attack = await anAttack()

for (const name of OCI_RUNTIMES.filter((it) => it !== 'krun')) {
  test(`what a dyno may take ends at a limit, and its neighbour goes on: ${name}`, () =>
    attack.madeBy(name, endsAtLimits))
}

async function endsAtLimits(): Promise<void> {
  const neighbour = await attack.neighbour(0)
  const answers = () => attack.answerOf(neighbour)

  const rows = await attack.rows('bombs')
  // A bomb of processes takes gVisor itself with it, and so the dyno, before it can say anything.
  assertHeld(rows, attack.ociRuntime() === 'runsc' ? 0 : 8)
  assert.equal(await answers(), 200)

  const hungry = await attack.begin('memory-bomb')
  const end = await attack.endOf(hungry)
  assert.equal(end.outOfMemory, true)
  // With gVisor it is gVisor that the kernel kills, and newer ones say themselves how the dyno ended.
  if (attack.ociRuntime() !== 'runsc') assert.equal(end.status, 137)
  await attack.remove(hungry)
  assert.equal(await answers(), 200)

  const loud = await attack.begin('log-bomb')
  await attack.endOf(loud)
  const files = attack.filesOf(loud)
  const written = [files.log, files.spareLog].map((file) => sizeOf(file))
  assert.ok(
    written.every((bytes) => bytes <= LARGEST_LOG),
    `its logs have ${written.join(' and ')} bytes`,
  )
  await attack.remove(loud)
  assert.equal(await answers(), 200)
  await attack.remove(neighbour)
}

test('root of a dyno`s own user namespace takes no more', async () => {
  const neighbour = await attack.neighbour(0)
  assertHeld(await attack.rowsOfRoot('bombs'), 8)
  await assert.rejects(attack.rowsOfRoot('memory-bomb'), /ended with status 137/)
  const answer = await attack.answerOf(neighbour)
  assertHeld([rowOf('the neighbour answers', '200', answer, answer === 200)], 1)
})

for (const name of ['crun', 'runc'] as const) {
  test(`what a dyno holds in TCP ends at a limit: ${name}`, COUNTED_APART, () =>
    attack.madeBy(name, async () => assertHeld(await attack.rows('hold-in-sockets'), 1)),
  )
}

for (const name of OCI_RUNTIMES.filter((it) => it !== 'krun')) {
  test(`what the kernel counts for all dynos together is left to others: ${name}`, () =>
    attack.madeBy(name, leavesCountable))
}

async function leavesCountable(): Promise<void> {
  const greedy = await attack.begin('take-countable wait')
  await until(
    'it has taken what it can',
    async () => (await attack.saidBy(greedy)).length === COUNTABLE,
  )
  const rows = await attack.saidBy(greedy)
  const host = watched()
  assertHeld(
    [
      // gVisor counts all of it itself.
      ...(attack.ociRuntime() === 'runsc' ? [] : rows),
      ...(await attack.rows('have-countable', {}, 1)),
      rowOf('root of the machine watches a file', 'it does', host, host === 'it does'),
    ],
    COUNTABLE + 1,
  )
  await attack.remove(greedy)
}

function watched(): string {
  try {
    watch(attack.program).close()
    return 'it does'
  } catch (error) {
    return String(error)
  }
}

test('what a dyno writes ends with its disk, in bytes and in files', async () => {
  const neighbour = await attack.neighbour(0, NEIGHBOUR)
  const greedy = await attack.begin('fill-disk')
  await attack.endOf(greedy)
  const answer = await attack.answerOf(neighbour)
  const writes = rowOf('the neighbour writes', '200', answer, answer === 200)
  assertHeld([...(await attack.saidBy(greedy)), writes], 8)
  await attack.remove(greedy, neighbour)
})

test('what its monitor and its sessions take ends at a limit, and neither ends the dyno', async () => {
  const { version, hierarchies } = presentCgroups()
  const memory = hierarchies.get(version === 2 ? 'unified' : 'memory') ?? ''
  const loud = await attack.begin('log-bomb wait')
  const procs = join(memory, cgroupOf(loud), 'monitor', 'cgroup.procs')
  await until(
    'its log has grown',
    () => sizeOf(attack.filesOf(loud).log) > LARGEST_LOG / 4,
  )
  const conmon = readFileSync(procs, 'utf8').trim()
  // As a session's would be, if one could be made to take so much.
  const takes = `echo $$ >"$1"; exec perl -e '$_ = "x" x ${2 * MONITOR_MEMORY}'`
  const session = spawnSync('sh', ['-c', takes, 'sh', procs])
  const status = (await attack.runtime.status([loud], signal)).get(loud)?.is
  const left = readFileSync(procs, 'utf8').trim()
  assertHeld(
    [
      rowOf(
        'a session that takes too much',
        'SIGKILL',
        session.signal,
        session.signal === 'SIGKILL',
      ),
      rowOf('the dyno', 'running', status, status === 'running'),
      rowOf('its monitor', conmon, left, conmon !== '' && conmon === left),
    ],
    3,
  )
  await attack.remove(loud)
})

test('a dyno takes no more of the processors than its share', async () => {
  const spinning = [
    await attack.begin('spin', {}, 1),
    await attack.begin('spin-much', {}, 2),
  ]
  const neighbour = await attack.neighbour(0, NEIGHBOUR)
  // Of the same size, and both would take all, the second by eight times as many processes.
  // It would have eight times as much, were they not weighed; on a busy machine the weights are not exact.
  const first = spinning.map(processorTime)
  await until(
    'they have had a second together',
    () => total(spinning.map(processorTime)) - total(first) > SECOND,
  )
  const [modest = 0, greedy = 0] = spinning.map(
    (it, n) => processorTime(it) - (first[n] ?? 0),
  )
  const ratio = greedy / modest
  const answer = await attack.answerOf(neighbour)
  assertHeld(
    [
      rowOf(
        'processor, against one of its size',
        'at most 4 ×',
        `${ratio.toFixed(2)} ×`,
        ratio <= 4,
      ),
      rowOf('the neighbour answers', '200', answer, answer === 200),
    ],
    2,
  )
  await attack.remove(...spinning, neighbour)
})

function cgroupOf(id: DynoId): string {
  const { installation, region } = attack.options
  return `${machineNames(installation, region).cgroup}/${id}`
}

/** Milliseconds that it has had of all processors. */
function processorTime(id: DynoId): number {
  const { version, hierarchies } = presentCgroups()
  const its = cgroupOf(id)
  const text = (hierarchy: string, file: string) =>
    readFileSync(join(hierarchies.get(hierarchy) ?? '', its, file), 'utf8')
  if (version === 1) return Number(text('cpuacct', 'cpuacct.usage')) / 1e6
  return Number(/^usage_usec (\d+)/m.exec(text('unified', 'cpu.stat'))?.[1]) / 1e3
}

function total(figures: readonly number[]): number {
  return figures.reduce((sum, it) => sum + it, 0)
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0
}
