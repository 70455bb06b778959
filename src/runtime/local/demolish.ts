/** Takes everything of a region off the machine, dynos first; for `mayfly down`. */

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'

import { pause, SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { processesUnder, removeCgroups } from './cgroups.ts'
import { removeFirewall } from './firewall.ts'
import { removeBridge } from './network.ts'
import { signalProcess } from './process-status.ts'
import { type LocalRegion, localRegion, type LocalRuntimeOptions } from './region.ts'
import { removeDyno } from './remove-dyno.ts'

const AT_A_TIME = 8
const PROCESSES_END_WITHIN = 10 * SECOND
const LOOK_EVERY = 5

/** The region's manager must not run. Idempotent; dynos that are half there go too. */
export async function demolish(options: LocalRuntimeOptions): Promise<void> {
  const region = localRegion(options)
  const dynos = existsSync(options.dynos) ? await readdir(options.dynos) : []
  const left = dynos.filter((name) => isUuid(name)).map((name) => name as DynoId)
  await Promise.all(Array.from({ length: AT_A_TIME }, removeNext))

  await killWhatIsLeft(region)
  await removeCgroups(region.cgroups, region.names.cgroup)
  await removeBridge(region.names.bridge)
  await removeFirewall(region.names.firewallTable)

  async function removeNext(): Promise<void> {
    for (let id = left.pop(); id; id = left.pop()) await removeDyno(region, id)
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
