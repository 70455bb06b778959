/** What the commands ask of the local runtime beside running dynos. */

import { existsSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import { silentLog } from '../../src/lib/log.ts'
import { demolish } from '../../src/runtime/local/demolish.ts'

/** A directory of ready root file systems; tests share one. */
const readyStacks = process.env['MAYFLY_STACKS']

/** Makes the root file systems that dynos run on, or links to ready ones. */
export async function prepareStacks(
  data: DataDirectory,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (readyStacks !== undefined && existsSync(readyStacks)) {
    for (const stack of readdirSync(readyStacks)) {
      const link = join(data.stacks, stack)
      if (!existsSync(link)) symlinkSync(join(readyStacks, stack), link)
    }
  }
  void [say, signal]
}

/** Ends every dyno of the installation and takes all that held it off the machine. */
export async function removeDynos(
  data: DataDirectory,
  installation: Installation,
): Promise<void> {
  for (const { name, subnet } of installation.regions) {
    await demolish({
      installation: installation.id,
      region: name,
      subnet,
      root: data.root,
      stacks: data.stacks,
      slugs: data.slugs,
      dynos: data.dynos(name),
      endedLogs: data.endedLogs,
      log: silentLog,
    })
  }
}
