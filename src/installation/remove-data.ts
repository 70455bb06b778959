import { lstatSync, readdirSync, realpathSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

import { removeTree } from '../lib/remove-tree.ts'
import { mountPoints } from './mount-points.ts'
import { Refusal } from './refusal.ts'

/**
 * Removes an installation's directory with all that is in it; and the link, where `root` is one. A
 * disk of its own that it is stays, empty. A Refusal, and nothing is removed, where something is
 * mounted below: that would be emptied with it.
 */
export async function removeData(root: string): Promise<void> {
  const directory = realpathSync(root)
  const mounts = mountPoints()
  const below = mounts.find((it) => it.startsWith(`${directory}/`))
  if (below !== undefined)
    throw new Refusal(`${below} is still mounted; no file was removed.`)
  const isLink = lstatSync(root).isSymbolicLink()
  await removeTree(...readdirSync(directory).map((it) => join(directory, it)))
  if (!mounts.includes(directory)) rmdirSync(directory)
  if (isLink) unlinkSync(root)
}
