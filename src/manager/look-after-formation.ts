/**
 * One look at one formation: gather the facts, take the next step of each dyno, say when
 * to look again. It is told nothing but the id, so being woken, polling and starting up
 * after a crash are all the same to it.
 *
 * All row changes of a look are one transaction; then the calls to the runtime are made,
 * side by side. Dying anywhere in between loses nothing: the next look plans anew.
 */

import type { Pool } from 'pg'

import { type Clock, MINUTE, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { type Dyno, placeOf } from '../model/dyno.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import type { FormationId } from '../model/ids.ts'
import { sizeNamed } from '../model/size.ts'
import type { Timings } from '../model/timings.ts'
import type { DynoSpec, Runtime } from '../runtime/runtime.ts'
import { liveDynos } from '../store/dynos.ts'
import { findFormation, type FormationFacts } from '../store/formations.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  type Facts,
  nextMoment,
  planFormation,
  type RuntimeCall,
  type Step,
} from './plan-formation.ts'
import { takeRowSteps } from './take-row-steps.ts'

export interface Deps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly clock: Clock
  /** As set now; they may change while the manager runs. */
  readonly timings: () => Timings
}

/** How many dynos of a formation boot in one look: those that are up already must not wait for all. */
const BOOTS = 24
const LONGEST_WAIT = MINUTE
/** The runtime's hints may get lost: while something is under way we look by ourselves. */
const WHILE_MOVING = SECOND

export function lookAfterFormation(deps: Deps) {
  /** Resolves to the milliseconds until the formation wants another look. */
  return async (subject: string, signal: AbortSignal): Promise<number> => {
    const found = await findFormation(deps.pool, subject as FormationId)
    if (!found) return Infinity
    const facts = await factsOf(found, deps, signal)
    const steps = planFormation(facts)
    await takeSteps(steps, found, deps, signal)
    if (steps.length > 0) return 0
    return Math.max(
      0,
      Math.min(nextMoment(facts), isMoving(facts) ? WHILE_MOVING : LONGEST_WAIT),
    )
  }
}

async function factsOf(
  found: FormationFacts,
  deps: Deps,
  signal: AbortSignal,
): Promise<Facts> {
  const { formation } = found
  const dynos = await liveDynos(deps.pool, formation.id)
  const ids = dynos.map((dyno) => dyno.id)
  const statuses = await deps.runtime.status(ids, signal)
  return { formation, dynos, statuses, timings: deps.timings(), now: deps.clock.now() }
}

async function takeSteps(
  steps: readonly Step[],
  found: FormationFacts,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { formation, region } = found
  const configVars = configVarsOf(found, deps.secrets)
  const context = { formation, region, now: deps.clock.now(), configVars }
  const moves = steps.filter((step) => !isCall(step))
  if (moves.length > 0) {
    await inTransaction(deps.pool, (tx) => takeRowSteps(tx, moves, context))
  }

  const calls = steps.filter(isCall)
  const boots = calls.filter((step) => step.do === 'boot').slice(0, BOOTS)
  const others = calls.filter((step) => step.do !== 'boot')
  // One dyno's trouble must not hold up another's.
  const outcomes = await Promise.allSettled(
    [...boots, ...others].map((step) => call(step, { found, configVars, deps, signal })),
  )
  const failures = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, `formation ${formation.id}`)
}

interface Calling {
  readonly found: FormationFacts
  readonly configVars: Environment
  readonly deps: Deps
  readonly signal: AbortSignal
}

async function call(
  step: CallStep,
  { found, configVars, deps, signal }: Calling,
): Promise<void> {
  const { dyno } = step
  switch (step.do) {
    case 'boot':
      return deps.runtime.start(specOf(dyno, found, configVars), signal)
    case 'terminate':
      return deps.runtime.terminate(dyno.id, signal)
    case 'kill':
      return deps.runtime.kill(dyno.id, signal)
    case 'remove':
      return deps.runtime.remove(dyno.id, signal)
  }
}

type CallStep = Extract<Step, { do: RuntimeCall }>

function isCall(step: Step): step is CallStep {
  return ['boot', 'terminate', 'kill', 'remove'].includes(step.do)
}

function configVarsOf(found: FormationFacts, secrets: SecretBox): Environment {
  return JSON.parse(secrets.open(found.configVars, found.formation.app)) as Environment
}

function specOf(dyno: Dyno, found: FormationFacts, configVars: Environment): DynoSpec {
  const size = sizeNamed(dyno.size)
  if (!size) throw new Error(`dyno ${dyno.id} is of an unknown size, ${dyno.size}`)
  return {
    id: dyno.id,
    name: placeOf(dyno),
    address: dyno.address,
    ...(dyno.type === 'web' && { port: dyno.port }),
    size,
    environment: dynoEnvironment(dyno, configVars),
    command: dyno.command,
    stack: found.stack,
    slug: found.formation.slug,
    volumes: [],
  }
}

function isMoving({ dynos }: Facts): boolean {
  return dynos.some(
    (it) => it.leaving || it.state === 'starting' || it.state === 'stopping',
  )
}
