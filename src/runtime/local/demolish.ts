/**
 * Takes everything of a region off the machine, dynos first; for `mayfly down`. When that
 * was is kept: whoever comes next must not take those dynos for lost.
 */

import { existsSync, statSync, utimesSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { pause, SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { processesUnder, removeCgroups } from './cgroups.ts'
import { removeFirewall } from './firewall.ts'
import { removeBridge } from './network.ts'
import { signalProcess } from './process-status.ts'
import { type LocalRegion, localRegion, type LocalRuntimeOptions } from './region.ts'
import { removeDyno, signalProcesses } from './remove-dyno.ts'

const AT_A_TIME = 8
const PROCESSES_END_WITHIN = 10 * SECOND
const LOOK_EVERY = 5
const LOOK_IN_GRACE_EVERY = 50

/**
 * The region's manager must not run. Idempotent; dynos that are half there go too. All get
 * SIGTERM at once, and have `grace` milliseconds together. Resolves to how many there were.
 */
export async function demolish(
  options: LocalRuntimeOptions,
  { grace }: { readonly grace: number },
): Promise<number> {
  const region = localRegion(options)
  const dynos = existsSync(options.dynos) ? await readdir(options.dynos) : []
  const left = dynos.filter((name) => isUuid(name)).map((name) => name as DynoId)
  const { length } = left
  if (existsSync(options.dynos)) await writeFile(markIn(options.dynos), '')
  await askToEnd(region, left, grace)
  await Promise.all(Array.from({ length: AT_A_TIME }, removeNext))

  await killWhatIsLeft(region)
  await removeCgroups(region.cgroups, region.names.cgroup)
  await removeBridge(region.names.bridge)
  await removeFirewall(region.names.firewallTable)
  return length

  async function removeNext(): Promise<void> {
    for (let id = left.pop(); id; id = left.pop()) await removeDyno(region, id)
  }
}

/** Undefined: never. `dynos`: the driver's own directory for the region. */
export function demolishedAt(dynos: string): Date | undefined {
  return statSync(markIn(dynos), { throwIfNoEntry: false })?.mtime
}

/** It was then: the clock that it was noted by has been set back since. */
export function noteDemolished(dynos: string, at: Date): void {
  utimesSync(markIn(dynos), at, at)
}

const markIn = (dynos: string) => join(dynos, 'demolished')

async function askToEnd(
  region: LocalRegion,
  dynos: readonly DynoId[],
  grace: number,
): Promise<void> {
  if (grace === 0) return
  const started = performance.now()
  await Promise.all(dynos.map((id) => signalProcesses(region, id, 'SIGTERM')))
  const runs = (id: DynoId) => region.cgroupsOf(id).processes().length > 0
  while (dynos.some(runs) && performance.now() - started < grace) {
    await pause(LOOK_IN_GRACE_EVERY)
  }
}

/** Processes whose dyno's directory was lost. */
async function killWhatIsLeft({ cgroups, names }: LocalRegion): Promise<void> {
  const started = performance.now()
  for (;;) {
    const pids = processesUnder(cgroups, names.cgroup)
    if (pids.length === 0) return
    if (performance.now() - started > PROCESSES_END_WITHIN) {
      throw new Error(`processes of ${names.cgroup} do not end: ${pids.join(' ')}`)
    }
    for (const pid of pids) signalProcess(pid, 'SIGKILL')
    await pause(LOOK_EVERY)
  }
}
