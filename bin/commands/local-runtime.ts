/** What the commands ask of the local runtime beside running dynos. */

import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import { silentLog } from '../../src/lib/log.ts'
import { demolish } from '../../src/runtime/local/demolish.ts'
import { ensureStack } from '../../src/runtime/local/ensure-stack.ts'

const STACKS = ['debian-12']

/** Where the root file systems lie if not in the data directory; the tests' installations share theirs. */
export const sharedStacks = process.env['MAYFLY_STACKS']

/** Makes the root file systems that dynos run on, once, and puts them where dynos look. */
export async function prepareStacks(
  data: DataDirectory,
  say: (sentence: string) => void,
): Promise<void> {
  const directory = sharedStacks ?? data.stacks
  await ensureStacks(directory, say)
  for (const stack of STACKS) {
    const at = join(data.stacks, stack)
    if (!existsSync(at)) symlinkSync(join(directory, stack), at)
  }
}

export async function ensureStacks(
  directory: string,
  say: (sentence: string) => void,
): Promise<void> {
  mkdirSync(directory, { recursive: true })
  for (const stack of STACKS) await ensureStack(directory, stack, say)
}

/**
 * Ends every dyno of the installation and takes all that held it off the machine. They have
 * `grace` milliseconds from SIGTERM to SIGKILL. Resolves to how many there were.
 */
export async function removeDynos(
  data: DataDirectory,
  installation: Installation,
  its: { readonly grace: number },
): Promise<number> {
  const removed = installation.regions.map(({ name, subnet }) =>
    demolish(
      {
        installation: installation.id,
        region: name,
        subnet,
        root: data.root,
        stacks: data.stacks,
        slugs: data.slugs,
        dynos: data.dynos(name),
        endedLogs: data.endedLogs,
        log: silentLog,
      },
      its,
    ),
  )
  return (await Promise.all(removed)).reduce((sum, it) => sum + it, 0)
}
