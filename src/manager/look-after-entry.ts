/**
 * A process asked for inside a running dyno: started once its client has come, and then its
 * client's alone. What is not started soon never is.
 *
 * A dyno can stop whoever enters it, for as long as the runtime has patience. So a look begins
 * that and does not wait for its end, and of each dyno's one is begun at a time: else a few dynos
 * could keep all of a region's looks to themselves.
 */

import type { Pool } from 'pg'

import { MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { placeOf } from '../model/dyno.ts'
import { tooManyInside } from '../model/dyno-lines.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import type { DynoId, EntryId } from '../model/ids.ts'
import { type Runtime, RuntimeError } from '../runtime/runtime.ts'
import { type EntryFacts, findEntry, forgetEntry } from '../store/entries.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Look } from '../work/loop.ts'

export interface Deps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly log: Log
}

const CLIENT_COMES_WITHIN = MINUTE
/** By then one is entered that lets itself be. */
const PATIENCE = 0.25 * SECOND
const LOOK_AGAIN = 2 * SECOND

/** What came of an attempt; `failed` was told in the log. */
type Outcome = 'entered' | 'failed'

interface Attempt {
  readonly entry: EntryId
  /** What came of it within our patience; undefined: it goes on. */
  readonly soon: Promise<Outcome | undefined>
}

/** The look for work kind `entry`; its subject is the entry's id. */
export function lookAfterEntry({ pool, runtime, secrets, log }: Deps): Look {
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
      const outcome = await attempt.soon
      if (attempt.entry !== id) return attempts.get(dyno.id) === attempt ? LOOK_AGAIN : 0
      if (outcome !== 'entered') return LOOK_AGAIN
    }
    await forgetEntry(pool, id)
    return Infinity
  }

  /** It goes on when the look is over: then the signal is never given, and the runtime has an end of its own. */
  function begin(entry: EntryFacts, signal: AbortSignal): Attempt {
    const { id, dyno } = entry
    const outcome = enter(entry, signal)
      .then(
        () => 'entered' as const,
        (error: unknown) => {
          log.error('cannot start a process inside a dyno', error, { dyno: dyno.id })
          return 'failed' as const
        },
      )
      .finally(() => attempts.delete(dyno.id))
    const attempt = { entry: id, soon: within(PATIENCE, outcome, signal) }
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
      if (error.code !== 'too_many_entries') throw error
      await tellOfTooMany(entry)
    }
  }

  async function tellOfTooMany({ app, dyno }: EntryFacts): Promise<void> {
    const ps = placeOf(dyno)
    const message = tooManyInside(ps)
    await writeLogLines(pool, [{ app, source: 'heroku', ps, message }])
  }

  function opened({ app }: EntryFacts, box: Buffer): Environment {
    return JSON.parse(secrets.open(box, app)) as Environment
  }
}

/** Undefined: not yet. */
async function within<T>(
  patience: number,
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const enough = new AbortController()
  const waited = pause(patience, AbortSignal.any([signal, enough.signal]))
  try {
    return await Promise.race([work, waited.then(() => undefined)])
  } finally {
    enough.abort()
  }
}
