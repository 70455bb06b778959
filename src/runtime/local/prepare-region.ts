/** Makes the machine ready for a region's dynos, and sweeps up after a killed manager. */

import { chown, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { removeTree } from '../../lib/remove-tree.ts'
import { runProgram } from '../../lib/run-program.ts'
import { NOTHING_ALLOWED } from '../../model/allowances.ts'
import { memoryOfDynos } from '../../model/capacity.ts'
import { isUuid } from '../../model/ids.ts'
import { OCI_RUNTIMES } from '../../model/oci-runtimes.ts'
import { prepareCgroups } from './cgroups.ts'
import { prepareDisks } from './disk.ts'
import { applyFirewall, type FirewallFacts } from './firewall.ts'
import { ensureBridge } from './network.ts'
import { ensureTables, tablesFor } from './machine-tables.ts'
import { machineMemory } from './memory-use.ts'
import type { LocalRegion } from './region.ts'
import { regroupDynos } from './regroup-dynos.ts'
import { dynoResolvConf, putUpResolver } from './resolvers.ts'
import { wallOffLinks } from './wall-off-links.ts'
import { writeInPlace } from './write-in-place.ts'

/** Others reach what lies below by its name; only root and the readers may list it. */
const PASSABLE = 0o751
const PRIVATE = 0o700
/** The resolver's user watches it. */
const OPEN = 0o755

/** Idempotent: also puts back what something else on the machine took away. */
export async function prepareRegion(
  region: LocalRegion,
  signal: AbortSignal,
): Promise<void> {
  const { files, names, cgroups, network } = region
  await mkdir(files.directory, { recursive: true, mode: PASSABLE })
  if (region.readers !== undefined) await chown(files.directory, 0, region.readers)
  await mkdir(files.exits, { recursive: true, mode: PRIVATE })
  await mkdir(files.resolver.directory, { recursive: true, mode: OPEN })
  const states = OCI_RUNTIMES.map((name) => files.stateOf(name))
  for (const it of states) await mkdir(it, { recursive: true, mode: PRIVATE })
  await spread([files.directory, ...states], signal)
  await regroupDynos(region)
  await writeInPlace(files.resolvConf, dynoResolvConf(network.subnet.gateway))
  await prepareDisks(files.diskTemplate, region.log)
  await prepareCgroups(cgroups, names.cgroup, memoryOfDynos(machineMemory()))
  await ensureBridge(network, signal)
  await wallOffLinks(region, signal)
  await applyFirewall(firewallFacts(region), signal)
  await putUpResolver(region)
  ensureTables(machineMemory(), region.log, { tables: tablesFor(cgroups.version) })
}

/**
 * Has ext4 lay each dyno's directory somewhere else, not all of them side by side. Dynos come
 * and go by the hundred, and a file system without a journal looks at every file deleted close
 * by in the last minutes before it makes one: a start took up to 60 % longer. Other file
 * systems know no such thing, and need none.
 */
async function spread(
  directories: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await runProgram(['chattr', '+T', ...directories], { signal }).catch(() => {
    signal.throwIfAborted()
  })
}

/** What the region's firewall is to be made of at this moment. */
export function firewallFacts(region: LocalRegion): FirewallFacts {
  const { names, network, subnet, allowances, router } = region
  return {
    table: names.firewallTable,
    bridge: names.bridge,
    subnet,
    gateway: network.subnet.gateway,
    reachedBy: [0, ...(router === undefined ? [] : [router])],
    allowances: allowances?.() ?? NOTHING_ALLOWED,
  }
}

/**
 * What was being made or removed when the manager died; no dyno lists it. Not to be called
 * while dynos are being started or removed.
 */
export async function sweepRegion({ files, log }: LocalRegion): Promise<void> {
  const names = await readdir(files.directory)
  for (const name of names) {
    if (!/\.(new|gone)$/.test(name)) continue
    await removeTree(join(files.directory, name)).catch((error: unknown) =>
      // The next manager tries again; it keeps none from starting.
      log.error(`cannot remove what is left of a dyno: ${name}`, error),
    )
  }
  for (const name of await readdir(files.exits)) {
    if (isUuid(name) && names.includes(name)) continue
    await rm(join(files.exits, name), { force: true })
  }
}
