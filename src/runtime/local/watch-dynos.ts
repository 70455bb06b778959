/**
 * Says when a dyno may have changed: conmon wrote how it ended, or a web dyno's port is
 * bound. Only for the latter is there something to poll, and only until it happened.
 */

import { type FSWatcher, watch } from 'node:fs'

import { type DynoId, isUuid } from '../../model/ids.ts'
import { dynoStatus } from './dyno-status.ts'
import { noteIfListening } from './port-probe.ts'
import type { LocalRegion } from './region.ts'

const LOOK_EVERY = 10
/** How many booting dynos are looked at each time, so that a hundred cost no core. */
const AT_A_TIME = 16

export interface DynoWatch {
  /** From now on the dyno's port is looked at. */
  expectListening(id: DynoId): void
}

export function watchDynos(
  region: LocalRegion,
  changed: (id: DynoId) => void,
  signal: AbortSignal,
): DynoWatch {
  const booting = new Set<DynoId>()
  let lookedAt = 0
  let timer: NodeJS.Timeout | undefined
  const exits = watchExits()
  signal.addEventListener('abort', stop, { once: true })
  return {
    expectListening(id) {
      booting.add(id)
      if (!signal.aborted) timer ??= setInterval(look, LOOK_EVERY)
    },
  }

  function watchExits(): FSWatcher {
    // conmon writes to a temporary name, and renames: of the names only ids count.
    const watcher = watch(region.files.exits, (_, name) => {
      if (name && isUuid(name)) changed(name as DynoId)
    })
    watcher.on('error', (error) => region.log.error('cannot watch for exits', error))
    return watcher
  }

  function look(): void {
    for (const id of [...booting].slice(0, AT_A_TIME)) {
      booting.delete(id)
      lookAt(id).catch((error: unknown) =>
        region.log.error('cannot look at a port', error, { dyno: id }),
      )
    }
    if (booting.size + lookedAt > 0) return
    clearInterval(timer)
    timer = undefined
  }

  async function lookAt(id: DynoId): Promise<void> {
    lookedAt++
    try {
      const listens = await noteIfListening(region.files.of(id))
      if (!listens && dynoStatus(region, id)?.is === 'running') booting.add(id)
      else changed(id)
    } finally {
      lookedAt--
    }
  }

  function stop(): void {
    exits.close()
    clearInterval(timer)
  }
}
