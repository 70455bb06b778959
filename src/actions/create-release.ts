import type { SecretBox } from '../lib/secret-box.ts'
import type { Account } from '../model/app.ts'
import { appEvent } from '../model/event.ts'
import { type AppId, newId, type SlugId } from '../model/ids.ts'
import type { Limits } from '../model/limits.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { Problem } from '../model/problem.ts'
import { byWhom, type ConfigVars, type Release } from '../model/release.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { addRelease, expirePending } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'
import { wakeAll } from '../store/work.ts'
import { beginReleasePhase } from './begin-release-phase.ts'
import { makeCurrent } from './make-current.ts'

export interface ReleaseWish {
  readonly app: AppId
  readonly account: Account
  /** `Deploy 5f2a1c3e`: the log adds by whom. */
  readonly description: string
  readonly slug: SlugId | null
  readonly configVars: ConfigVars
  /**
   * Made by the platform itself, to go back to what still runs: it is current at once, its
   * release command having done its work when it was new.
   */
  readonly automatic?: boolean
  /** What its dynos keep to, where it is automatic; as a rule Heroku's. */
  readonly limits?: Limits
}

/** Characters. A command that sets many config vars names them all. */
const LONGEST_DESCRIPTION = 500

/**
 * Makes the app's next release. It is the current one at once, and every dyno replaced as the
 * managers get to it; unless its code has a release command: then it is pending until that
 * has succeeded. One still pending expires. A Problem `not_found` where the app is gone.
 */
export async function createRelease(
  tx: Queryable,
  wish: ReleaseWish,
  secrets: SecretBox,
): Promise<Release> {
  const app = (await lockApp(tx, wish.app)) ? await findApp(tx, wish.app) : undefined
  if (!app) throw new Problem('not_found', `Couldn't find that app.`)

  const { account, slug, configVars, automatic = false } = wish
  const description = shortened(wish.description)
  const command = automatic ? undefined : await releaseCommandOf(tx, wish)
  const expired = await expirePending(tx, app.id)
  const release = await addRelease(
    tx,
    {
      id: newId(),
      app: app.id,
      status: command === undefined ? 'succeeded' : 'pending',
      description,
      account: account.id,
      slug,
      configVars,
      hasReleasePhase: command !== undefined,
      automatic,
    },
    secrets,
  )
  const { id, version } = release
  const superseded = expired.map((it) => ({
    release: it.id,
    message: `Release v${it.version} superseded by v${version}`,
  }))
  const asked = { message: `${description} ${byWhom(release)}` }
  await writeLogLines(
    tx,
    [...superseded, asked].map(({ message }) => ({
      app: app.id,
      source: 'app',
      ps: 'api',
      message,
    })),
  )
  const about = { app: app.id, at: release.createdAt }
  const message = `Release v${version} created: ${description}`
  await writeEvents(tx, [
    ...superseded.map((it) =>
      appEvent({ ...about, ...it, kind: 'release.failed', cause: 'superseded' }),
    ),
    appEvent({ ...about, release: id, kind: 'release.created', message }),
  ])
  const { region } = app
  await wakeAll(
    tx,
    expired.map(({ dyno }) => ({ kind: 'one-off', subject: dyno, region })),
  )

  if (command === undefined) await makeCurrent(tx, app, release, wish.limits)
  else await beginReleasePhase(tx, { app, release, command, configVars }, secrets)
  return release
}

/** Each release keeps it, and a list has it of each. */
function shortened(text: string): string {
  return text.length > LONGEST_DESCRIPTION
    ? `${text.slice(0, LONGEST_DESCRIPTION - 1).toWellFormed()}…`
    : text
}

async function releaseCommandOf(
  tx: Queryable,
  { app, slug }: ReleaseWish,
): Promise<string | undefined> {
  if (slug === null) return undefined
  const compiled = await findSlug(tx, slug)
  if (!compiled || compiled.app !== app) throw new Error(`app ${app} has no slug ${slug}`)
  return compiled.processTypes[RELEASE_TYPE]
}
