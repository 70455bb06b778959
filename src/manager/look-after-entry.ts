/**
 * A process asked for inside a running dyno: started once its client has come, and then its
 * client's alone. What is not started soon never is.
 *
 * A dyno can stop whoever enters it, for as long as the runtime has patience. So a look begins
 * that and does not wait for its end, and of each dyno's one is begun at a time: else a few dynos
 * could keep all of a region's looks to themselves. What was entered is forgotten by the attempt itself,
 * whether or not a look still waits for it: a command is run once.
 */

import type { Pool } from 'pg'

import { MINUTE, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { within } from '../lib/within.ts'
import { placeOf } from '../model/dyno.ts'
import { notEnterable, tooManyInside } from '../model/dyno-lines.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import type { DynoId, EntryId } from '../model/ids.ts'
import { type Runtime, RuntimeError } from '../runtime/runtime.ts'
import {
  type EntryFacts,
  findEntry,
  forgetEntry,
  wakeEntriesOf,
} from '../store/entries.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import type { Look } from '../work/loop.ts'

interface EntryDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly log: Log
}

const CLIENT_COMES_WITHIN = MINUTE
/** By then one is entered that lets itself be. */
const PATIENCE = 0.25 * SECOND
const LOOK_AGAIN = 2 * SECOND

interface Attempt {
  readonly entry: EntryId
  /** Whether it was entered; undefined: that takes longer than our patience. */
  readonly soon: Promise<boolean | undefined>
}

/** What the app's log is told, by the RuntimeError's code. */
const WHY_NOT = new Map<RuntimeError['code'], (place: string) => string>([
  ['too_many_entries', tooManyInside],
  ['not_enterable', notEnterable],
])

/** The look for work kind `entry`; its subject is the entry's id. */
export function lookAfterEntry({ pool, runtime, secrets, log }: EntryDeps): Look {
  /** Those that go on. */
  const attempts = new Map<DynoId, Attempt>()

  return async (subject, signal) => {
    const id = subject as EntryId
    const entry = await findEntry(pool, id)
    if (!entry) return Infinity
    const { dyno, attached, age } = entry
    const underWay = attempts.get(dyno.id)
    if ((dyno.state === 'up' && age < CLIENT_COMES_WITHIN) || underWay?.entry === id) {
      if (!attached) return CLIENT_COMES_WITHIN - age
      const attempt = underWay ?? begin(entry, signal)
      const entered = await attempt.soon
      if (attempt.entry === id) return entered === true ? Infinity : LOOK_AGAIN
      return entered === undefined ? LOOK_AGAIN : 0
    }
    await forgetEntry(pool, id)
    return Infinity
  }

  /** It goes on when the look is over: then the signal is never given, and the runtime has an end of its own. */
  function begin(entry: EntryFacts, signal: AbortSignal): Attempt {
    const { id, dyno } = entry
    const entered = enter(entry, signal)
      .then(() => inTransaction(pool, (tx) => settle(tx, entry)))
      .then(
        () => true,
        (error: unknown) => {
          log.error('cannot start a process inside a dyno', error, { dyno: dyno.id })
          return false
        },
      )
      .finally(() => attempts.delete(dyno.id))
    const attempt = { entry: id, soon: within(PATIENCE, entered, signal) }
    attempts.set(dyno.id, attempt)
    return attempt
  }

  async function enter(entry: EntryFacts, signal: AbortSignal): Promise<void> {
    const { id, dyno, command, terminal } = entry
    const environment = dynoEnvironment(dyno, {
      ...opened(entry, entry.configVars),
      ...opened(entry, entry.environment),
    })
    const its = { id, command, environment, terminal: terminal ?? undefined }
    try {
      await runtime.enter(dyno.id, its, signal)
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error
      // It ended meanwhile, and its look tells of it.
      if (error.code === 'not_running') return
      const words = WHY_NOT.get(error.code)
      if (!words) throw error
      await tell(entry, words)
    }
  }

  async function tell(
    { app, dyno }: EntryFacts,
    words: (place: string) => string,
  ): Promise<void> {
    const ps = placeOf(dyno)
    const message = words(ps)
    await writeLogLines(pool, [{ app, source: 'heroku', ps, message }])
  }

  function opened({ app }: EntryFacts, box: Buffer): Environment {
    return JSON.parse(secrets.open(box, app)) as Environment
  }
}

/** The next one has its turn at once. */
async function settle(tx: Queryable, { id, dyno }: EntryFacts): Promise<void> {
  await forgetEntry(tx, id)
  await wakeEntriesOf(tx, dyno.id)
}
