/** `./mayfly down`: nothing of the installation runs any more; `--destroy`: nothing is left. */

import { SECOND } from '../../src/lib/clock.ts'
import {
  bootService,
  removeService,
  stopService,
} from '../../src/installation/boot-service.ts'
import { endParts } from '../../src/installation/control-plane.ts'
import { runningPart } from '../../src/installation/keep-part.ts'
import { removeOwnCgroup } from '../../src/installation/leave-session.ts'
import { endProcess } from '../../src/installation/living-process.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import type { PartSpec } from '../../src/installation/parts.ts'
import { removeData } from '../../src/installation/remove-data.ts'
import {
  endSupervisor,
  lockSupervision,
  supervisorOf,
} from '../../src/installation/supervisor-lock.ts'
import { straysOf } from '../../src/installation/strays.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'
import { removeDynos } from './local-runtime.ts'
import { partsHere } from './settings.ts'

/** What all dynos together have from SIGTERM to SIGKILL. */
const GRACE = 10 * SECOND

export async function down(args: string[]): Promise<void> {
  const { values } = parsed({
    args,
    options: { ...dataOption, destroy: { type: 'boolean' } },
  })
  const data = dataNamed(values.data)
  const installation = openInstallation(data)
  const service = bootService(data, installation)
  const wasSupervised = supervisorOf(data) !== undefined
  // First: it would begin another once the lock is free, and with no installation at each boot.
  const wasKept = await (values.destroy ? removeService(service) : stopService(service))
  await endSupervisor(data)

  const lock = lockSupervision(data)
  try {
    const parts = partsHere(data, installation)
    const someParts = parts.some((it) => runningPart(data, it.name))
    await endParts(
      parts.filter((it) => !isLast(it)),
      data,
    )
    const dynos = await removeDynos(data, installation, { grace: GRACE })
    await endParts(parts.filter(isLast), data)
    await removeOwnCgroup(installation)
    const strays = straysOf(data)
    const ran = wasSupervised || wasKept || someParts || dynos > 0 || strays.length > 0
    if (!ran) console.log(`Nothing of ${data.root} was running.`)
    await Promise.all(
      strays.map((it) => endProcess(it, { signal: 'SIGKILL', patience: 0 })),
    )
  } finally {
    lock.release()
  }
  if (values.destroy) await removeData(data.root)
}

const isLast = (part: PartSpec) => part.outlivesDynos === true
