import type { Build } from '../model/build.ts'
import {
  type AccountId,
  type AppId,
  type BuildId,
  newId,
  type SourceId,
} from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { addBuild, countPendingBuilds, findBuild } from '../store/builds.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wake } from '../store/work.ts'
import { lockPresentApp } from './lock-present-app.ts'

export interface BuildWish {
  readonly app: { readonly id: AppId; readonly region: string; readonly stack: string }
  readonly account: { readonly id: AccountId; readonly email: string }
  /** Null: the build dyno fetches `sourceUrl` itself. */
  readonly source: SourceId | null
  /** As given, sealed for the app; null: it was pushed. */
  readonly sourceUrl: Buffer | null
  readonly version?: string
  readonly description?: string
  /** `SHA256:<hex>` of the tarball. */
  readonly checksum?: string
  /** URLs or built-in names, in order. Undefined: the app's, or what detects itself. */
  readonly buildpacks?: readonly string[]
}

/** They take turns, and each is kept. An account may ask for some at the same moment beyond that. */
const MOST_PENDING = { ofApp: 50, ofAccount: 200 }

/**
 * Notes the build and wakes the manager of the app's region: nothing is built when this
 * returns. A Problem `not_found` where the app is gone, `rate_limit` where too many of its builds,
 * or of the account's, wait already.
 */
export async function createBuild(tx: Queryable, wish: BuildWish): Promise<Build> {
  await lockPresentApp(tx, wish.app.id)
  const pending = await countPendingBuilds(tx, {
    app: wish.app.id,
    account: wish.account.id,
  })
  if (pending.ofApp >= MOST_PENDING.ofApp) {
    throw new Problem(
      'rate_limit',
      `${MOST_PENDING.ofApp} builds of this app wait or run already. Wait until one has ended, or cancel some.`,
    )
  }
  if (pending.ofAccount >= MOST_PENDING.ofAccount) {
    throw new Problem(
      'rate_limit',
      `${MOST_PENDING.ofAccount} builds that you asked for, of any apps, wait or run already. Wait until some have ended, or cancel some.`,
    )
  }
  const id = newId<'build'>()
  await addBuild(tx, {
    id,
    app: wish.app.id,
    account: wish.account,
    source: wish.source,
    sourceUrl: wish.sourceUrl,
    sourceVersion: wish.version ?? null,
    sourceDescription: wish.description ?? null,
    sourceChecksum: wish.checksum ?? null,
    buildpacks: wish.buildpacks ?? null,
    stack: wish.app.stack,
  })
  const message = `Build started by user ${wish.account.email}`
  await writeLogLines(tx, [{ app: wish.app.id, source: 'app', ps: 'api', message }])
  await wake(tx, { kind: 'build', subject: id, region: wish.app.region })
  return existing(await findBuild(tx, id), id)
}

function existing(build: Build | undefined, id: BuildId): Build {
  if (!build) throw new Error(`build ${id} is not there though it was just added`)
  return build
}
