import {
  lstatSync,
  readdirSync,
  realpathSync,
  rmSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'

import { mountPoints } from './mount-points.ts'
import { Refusal } from './refusal.ts'

/**
 * Removes an installation's directory with all that is in it; and the link, where `root` is one. A
 * disk of its own that it is stays, empty. A Refusal, and nothing is removed, where something is
 * mounted below: that would be emptied with it.
 */
export function removeData(root: string): void {
  const directory = realpathSync(root)
  const mounts = mountPoints()
  const below = mounts.find((it) => it.startsWith(`${directory}/`))
  if (below !== undefined)
    throw new Refusal(`${below} is still mounted; no file was removed.`)
  const isLink = lstatSync(root).isSymbolicLink()
  for (const it of readdirSync(directory))
    rmSync(join(directory, it), { recursive: true })
  if (!mounts.includes(directory)) rmdirSync(directory)
  if (isLink) unlinkSync(root)
}
