/** What must stay as it is while dynos run, looked at every few seconds. */

import { readdir } from 'node:fs/promises'

import { pause, SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import { mendLogs } from './log-files.ts'
import type { LocalRegion } from './region.ts'

const EVERY = 3 * SECOND

/** Until the signal aborts. What can't be put right is logged, and tried again. */
export async function keepUp(region: LocalRegion, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(EVERY, signal)
    if (signal.aborted) return
    try {
      await mendAllLogs(region)
    } catch (error) {
      if (!signal.aborted) region.log.error('cannot keep the machine ready', error)
    }
  }
}

async function mendAllLogs({ files, readers }: LocalRegion): Promise<void> {
  for (const name of await readdir(files.directory)) {
    if (isUuid(name)) mendLogs(files.of(name as DynoId), readers)
  }
}
