/**
 * What must stay as it is while dynos run, looked at every few seconds: an operator may
 * flush all firewall rules, or a network service take our bridge away, or set it as it sees fit.
 */

import { existsSync, readdirSync } from 'node:fs'

import { pause, SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { recordOf } from './dyno-status.ts'
import {
  applyFirewall,
  firewallRules,
  presentFirewall,
  triedFirewall,
} from './firewall.ts'
import { mendLogs } from './log-files.ts'
import { type DynoNetwork, ensureBridge, rejoinBridge } from './network.ts'
import { networkChanges } from './network-changes.ts'
import { firewallFacts } from './prepare-region.ts'
import type { LocalRegion } from './region.ts'
import { putUpResolver } from './resolvers.ts'

const EVERY = 5 * SECOND

/** Until the signal aborts. What can't be put right is logged, and tried again. */
export async function keepUp(
  region: LocalRegion,
  signal: AbortSignal,
  every = EVERY,
): Promise<void> {
  const { names, files, log } = region
  let wanted: string | undefined
  let expected: string | undefined
  for (;;) {
    await pause(every, signal)
    if (signal.aborted) return
    try {
      await keepNetwork()
      await keepFirewall()
      await putUpResolver(region)
      for (const id of dynos()) mendLogs(files.of(id), region.readers)
    } catch (error) {
      if (!signal.aborted) log.error('cannot keep the machine ready', error)
    }
  }

  async function keepNetwork(): Promise<void> {
    const { bridge } = names
    const { ofBridge, ofPorts } = await networkChanges(region.network, begun(), signal)
    if (ofBridge.length > 0) {
      log.info('putting the bridge up again', { bridge, changed: ofBridge.join(' ') })
      await ensureBridge(region.network, signal)
    }
    for (const [{ link }, changes] of ofPorts) {
      log.info("setting a dyno's port of the bridge again", {
        link,
        changed: changes.join(' '),
      })
    }
    await rejoinBridge(bridge, [...ofPorts.keys()], signal)
  }

  async function keepFirewall(): Promise<void> {
    const facts = firewallFacts(region)
    const rules = firewallRules(facts)
    const what = [undefined, rules].includes(wanted) ? 'again' : 'as it is to be now'
    if (rules !== wanted) expected = await triedFirewall(facts, signal)
    wanted = rules
    if ((await presentFirewall(facts.table, signal)) === expected) return
    log.info(`putting the firewall up ${what}`, { table: facts.table })
    await applyFirewall(facts, signal)
  }

  /** Those whose link has been set up. */
  function begun(): DynoNetwork[] {
    return dynos().flatMap((id) => {
      const its = files.of(id)
      const address = existsSync(its.started) ? recordOf(its)?.address : undefined
      return address === undefined ? [] : [{ address, link: names.link(address) }]
    })
  }

  function dynos(): DynoId[] {
    return readdirSync(files.directory).filter((name) => isUuid(name)) as DynoId[]
  }
}
