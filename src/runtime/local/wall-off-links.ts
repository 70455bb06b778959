/** Dynos that an earlier Mayfly started: their links are brought to what those of today are. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'

import { runProgram } from '../../lib/run-program.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { hardwareAddressOf } from './address.ts'
import { livingInit, recordOf } from './dyno-status.ts'
import { rejoinBridge } from './network.ts'
import type { LocalRegion } from './region.ts'

/**
 * Theirs have hardware addresses by chance, which the firewall lets nothing through from. To be
 * called before that is put up. Connections go on: the gateway asks for the new address at once.
 */
export async function wallOffLinks(
  region: LocalRegion,
  signal: AbortSignal,
): Promise<void> {
  const { names, files } = region
  const ids = readdirSync(files.directory).filter(isUuid) as DynoId[]
  for (const of of ids.map((id) => files.of(id))) {
    const address = recordOf(of)?.address
    const init = livingInit(region, of)
    if (address === undefined || !init) continue
    const link = names.link(address)
    if (!learns(link)) continue
    const its = hardwareAddressOf(address)
    const inside = ['--target', String(init.pid), '--net', '--']
    const setting = ['ip', 'link', 'set', 'eth0', 'address', its]
    await runProgram(['nsenter', ...inside, ...setting], { signal })
    await rejoinBridge(names.bridge, [{ address, link }], signal)
    await runProgram(['ip', 'neigh', 'flush', 'to', address, 'dev', names.bridge], {
      signal,
    })
    region.log.info('walled off the link of an older dyno', { link })
  }
}

/** Whether the port takes frames from whatever hardware address: today's do not. */
function learns(link: string): boolean {
  const file = `/sys/class/net/${link}/brport/learning`
  return existsSync(file) && readFileSync(file, 'utf8').trim() === '1'
}
