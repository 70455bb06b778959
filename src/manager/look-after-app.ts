/**
 * A destroyed app's name is free at once; its dynos and builds are stopped by those who
 * look after them. When the last is gone, this removes its files, and then its rows. Its
 * repository is for `git` to remove: root removes nothing where others may write meanwhile.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Pool } from 'pg'

import { SECOND } from '../lib/clock.ts'
import { UnderWay } from '../lib/under-way.ts'
import type { AppId } from '../model/ids.ts'
import { findRemains, forgetApp } from '../store/app-remains.ts'
import type { Look } from '../work/loop.ts'

interface AppDeps {
  readonly pool: Pool
  /** Where an app's files lie, each in a folder or file of its own name. */
  readonly directories: {
    readonly slugs: string
    readonly caches: string
    readonly repos: string
  }
  readonly removeTree: (...paths: readonly string[]) => Promise<void>
}

const REPOSITORY_GOES_WITHIN = 5 * SECOND

/** The look for work kind `app`; its subject is the app's id. */
export function lookAfterApp({ pool, directories, removeTree }: AppDeps): Look {
  const removals = new UnderWay<void>()
  return async (subject, signal) => {
    const app = subject as AppId
    const remains = await findRemains(pool, app)
    if (!remains) return Infinity
    if (remains.busy) return SECOND

    const files = [
      ...remains.slugs.map((slug) => join(directories.slugs, slug)),
      join(directories.caches, app),
    ]
    if (!(await removals.ask(app, () => removeTree(...files), signal))) return SECOND
    if (existsSync(join(directories.repos, `${app}.git`))) return REPOSITORY_GOES_WITHIN
    return (await forgetApp(pool, app)) ? Infinity : 0
  }
}
