/**
 * A process asked for inside a running dyno: started once its client has come, and then its
 * client's alone. What is not started soon never is.
 */

import type { Pool } from 'pg'

import { MINUTE } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { placeOf } from '../model/dyno.ts'
import { tooManyInside } from '../model/dyno-lines.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import type { EntryId } from '../model/ids.ts'
import { type Runtime, RuntimeError } from '../runtime/runtime.ts'
import { type EntryFacts, findEntry, forgetEntry } from '../store/entries.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Look } from '../work/loop.ts'

export interface Deps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
}

const CLIENT_COMES_WITHIN = MINUTE

/** The look for work kind `entry`; its subject is the entry's id. */
export function lookAfterEntry({ pool, runtime, secrets }: Deps): Look {
  return async (subject, signal) => {
    const id = subject as EntryId
    const entry = await findEntry(pool, id)
    if (!entry) return Infinity
    if (entry.dyno.state === 'up' && entry.age < CLIENT_COMES_WITHIN) {
      if (!entry.attached) return CLIENT_COMES_WITHIN - entry.age
      await enter(entry, signal)
    }
    await forgetEntry(pool, id)
    return Infinity
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
