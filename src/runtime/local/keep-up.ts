/**
 * What must stay as it is while dynos run, looked at every few seconds: an operator may
 * flush all firewall rules, or a network service take our bridge away.
 */

import { readdir } from 'node:fs/promises'

import { pause, SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { recordOf } from './dyno-status.ts'
import { firewallRules, presentFirewall } from './firewall.ts'
import { mendLogs } from './log-files.ts'
import { bridgeIsWell, ensureBridge, rejoinBridge } from './network.ts'
import { firewallFacts, putUpFirewall } from './prepare-region.ts'
import type { LocalRegion } from './region.ts'
import { putUpResolver } from './resolvers.ts'

const EVERY = 5 * SECOND

/** Until the signal aborts. What can't be put right is logged, and tried again. */
export async function keepUp(region: LocalRegion, signal: AbortSignal): Promise<void> {
  const { names, files, log } = region
  let known: string | undefined
  let applied: string | undefined
  for (;;) {
    await pause(EVERY, signal)
    if (signal.aborted) return
    try {
      await keepBridge()
      await keepFirewall()
      await putUpResolver(region)
      for (const id of await dynos()) mendLogs(files.of(id), region.readers)
    } catch (error) {
      if (!signal.aborted) log.error('cannot keep the machine ready', error)
    }
  }

  async function keepBridge(): Promise<void> {
    if (bridgeIsWell(names.bridge)) return
    log.info('putting the bridge up again', { bridge: names.bridge })
    await ensureBridge(region.network, signal)
    const addresses = (await dynos()).map((id) => recordOf(files.of(id))?.address)
    const networks = addresses.flatMap((address) =>
      address ? [{ address, link: names.link(address) }] : [],
    )
    await rejoinBridge(names.bridge, networks, signal)
  }

  async function keepFirewall(): Promise<void> {
    const present = await presentFirewall(names.firewallTable, signal)
    const wanted = firewallRules(firewallFacts(region))
    if (present !== undefined && present === known && wanted === applied) return
    const what = wanted === applied ? 'again' : 'as it is to be now'
    if (known) log.info(`putting the firewall up ${what}`, { table: names.firewallTable })
    await putUpFirewall(region, signal)
    applied = wanted
    known = await presentFirewall(names.firewallTable, signal)
  }

  async function dynos(): Promise<DynoId[]> {
    const entries = await readdir(files.directory)
    return entries.filter((name) => isUuid(name)).map((name) => name as DynoId)
  }
}
