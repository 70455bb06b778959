/**
 * One look at one formation: gather the facts, take the next step of each dyno, say when
 * to look again. It is told nothing but the id, so being woken, polling and starting up
 * after a crash are all the same to it.
 *
 * All row changes of a look are one transaction; then the calls to the runtime are made,
 * side by side. Dying anywhere in between loses nothing: the next look plans anew.
 */

import type { Pool } from 'pg'

import { rollBackRelease } from '../actions/roll-back-release.ts'
import { type Clock, earliest, HOUR, SECOND } from '../lib/clock.ts'
import type { Jump } from '../lib/clock-jumps.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { type Dyno, timesNotedOf } from '../model/dyno.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import type { DynoId, FormationId } from '../model/ids.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { liesAhead } from '../model/noted-times.ts'
import type { Size } from '../model/size.ts'
import type { Timings } from '../model/timings.ts'
import type { DynoSpec, Runtime } from '../runtime/runtime.ts'
import { countStartFrom, liveDynos } from '../store/dynos.ts'
import { formationFacts, type FormationFacts } from '../store/formations.ts'
import { noteDynosAnew } from '../store/noted-times.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Look } from '../work/loop.ts'
import type { CheckHealth } from './check-health.ts'
import { type BootNeeds, dynoSpec, type PlacedDyno } from './dyno-spec.ts'
import { type Facts, WEB } from './facts.ts'
import { metadataFor } from './metadata-for.ts'
import type { Placer } from './place-dynos.ts'
import { nextMoment, planFormation } from './plan-formation.ts'
import { isUnverified, refused } from './refused.ts'
import type { RowStep, RuntimeCall, Step } from './steps.ts'
import { takeRowSteps } from './take-row-steps.ts'

interface FormationDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly clock: Clock
  /** As set now; they may change while the manager runs. */
  readonly timings: () => Timings
  readonly health: CheckHealth
  /** Which of these may boot: there is room for them. */
  readonly place: Placer['place']
  /** As set now; undefined: as Heroku has them. */
  readonly sizes?: () => readonly Size[]
  /** What a release that is taken back keeps to; as set now; undefined: Heroku's. */
  readonly limits?: () => Limits
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: () => Date | undefined
  /** Where the clock was set forward: see lib/clock-jumps.ts; undefined: nobody looks. */
  readonly jumps?: () => readonly Jump[]
}

/**
 * How many dynos of a formation boot in one look: those that are up already must not wait for
 * all. Where more are to follow, a look ends while so many of them still boot, or the machine
 * would stand idle until the next ones do; that look finds them, and waits for them in turn.
 */
const BOOTS = 24
const BOOT_ON = 8
/**
 * The runtime's hints may get lost: while something is under way we look by ourselves, the
 * less often the longer it takes. Once all is calm, the sweep finds who ended unheard.
 */
const WHILE_MOVING = SECOND
/** As long as something takes, it may well take again: to see it end by a quarter of that later is soon. */
const SHARE_OF_THE_PAST = 1 / 4
const LONGEST_WAIT = HOUR
/** Killed again and again until it is gone, which takes a while where the disk is slow. */
const WHILE_KILLED = 0.1 * SECOND
/** The runtime says when it knows of a slug; its hints may get lost. */
const UNTIL_VERIFIED = 10 * SECOND

/** The look for work kind `formation`; its subject is the formation's id. */
export function lookAfterFormation(deps: FormationDeps): Look {
  let since = deps.clock.now()
  return async (subject, signal) => {
    const id = subject as FormationId
    const found = await formationFacts(deps.pool, id)
    if (!found) {
      deps.health({ formation: id, check: null, dynos: [] })
      return Infinity
    }
    const configVars = configVarsOf(found, deps.secrets)
    const known = await factsOf(found, configVars, deps, signal)
    if (await notedAnew(known, deps)) return 0
    since = earliest(since, known.now)
    const facts = { ...known, since, jumps: deps.jumps?.() }
    const steps = planFormation(facts)
    const { awaitsSlug } = await takeSteps(steps, { found, configVars, deps, signal })
    if (awaitsSlug) return Math.max(0, Math.min(nextMoment(facts), UNTIL_VERIFIED))
    if (steps.length === 0) return waitOf(facts)
    const onlyKills = steps.every((step) => step.do === 'kill')
    return onlyKills ? Math.min(WHILE_KILLED, waitOf(facts)) : 0
  }
}

/** Whether some time had to be, for a clock that was set back. */
async function notedAnew(
  { dynos, now }: Pick<Facts, 'dynos' | 'now'>,
  { pool }: FormationDeps,
): Promise<boolean> {
  const early = dynos.filter((it) => liesAhead(now, timesNotedOf(it)))
  if (early.length === 0) return false
  await noteDynosAnew(
    pool,
    early.map(({ id }) => id),
    now,
  )
  return true
}

async function factsOf(
  { formation, switches }: FormationFacts,
  configVars: Environment,
  deps: FormationDeps,
  signal: AbortSignal,
): Promise<Omit<Facts, 'since'>> {
  const dynos = await liveDynos(deps.pool, formation.id)
  const ids = dynos.map((dyno) => dyno.id)
  const statuses = await deps.runtime.status(ids, signal)
  const health = deps.health({
    formation: formation.id,
    check: formation.healthCheck,
    dynos: dynos.filter(({ id, state }) => {
      const status = statuses.get(id)
      return state !== 'stopping' && status?.is === 'running' && status.listening
    }),
  })
  const policy = dynoPolicy(configVars, enabledFeatures(switches), deps.timings())
  const sizes = deps.sizes?.()
  const downAt = deps.downAt?.()
  const now = deps.clock.now()
  return { formation, policy, dynos, statuses, health, sizes, downAt, now }
}

interface ThisLook {
  readonly found: FormationFacts
  readonly configVars: Environment
  readonly deps: FormationDeps
  readonly signal: AbortSignal
}

async function takeSteps(
  steps: readonly Step[],
  look: ThisLook,
): Promise<{ readonly awaitsSlug: boolean }> {
  await changeRows(
    steps.filter((step) => !isCall(step)),
    look,
  )
  const calls = steps.filter(isCall)
  const toBoot = calls.filter((step) => step.do === 'boot')
  const boots = await placed(toBoot.slice(0, BOOTS), look)
  // Before any is asked for: this look may end before all have started, and the next must know of each.
  const specs = new Map(boots.map(({ dyno }) => [dyno.id, specFor(dyno, look)]))
  await Promise.allSettled(specs.values())
  const others = calls.filter((step) => step.do !== 'boot')
  // One dyno's trouble must not hold up another's.
  const outcomes = await firstOf(
    [...boots, ...others].map((it) => outcomeOf(it, { ...look, specs })),
    boots.length + others.length - (toBoot.length > BOOTS ? BOOT_ON : 0),
  )
  await changeRows(
    outcomes.flatMap((it) => it.next ?? []),
    look,
  )
  const unverified = outcomes.some((it) => it.isUnverified)
  // Those that were to boot after them, too: none is late for what they wait for.
  if (unverified) {
    const ids = toBoot.map(({ dyno }) => dyno.id)
    await countStartFrom(look.deps.pool, ids, look.deps.clock.now())
  }
  const failures = outcomes.flatMap((it) => ('failure' in it ? [it.failure] : []))
  if (failures.length > 0) {
    throw new AggregateError(failures, `formation ${look.found.formation.id}`)
  }
  return { awaitsSlug: unverified && toBoot.length === steps.length }
}

/** What the first so many of them resolve to. */
function firstOf<T>(all: readonly Promise<T>[], count: number): Promise<T[]> {
  const done: T[] = []
  const { promise, resolve, reject } = Promise.withResolvers<T[]>()
  if (count <= 0) resolve([])
  for (const it of all) take(it).catch(reject)
  return promise

  async function take(it: Promise<T>): Promise<void> {
    if (done.push(await it) === count) resolve([...done])
  }
}

/** Those for whom there is no room wait, and are not planned to boot until there is. */
async function placed(
  boots: readonly CallStep[],
  { deps, signal }: ThisLook,
): Promise<readonly Boot[]> {
  if (boots.length === 0) return []
  const placedAt = await deps.place(
    boots.map(({ dyno }) => dyno.id),
    signal,
  )
  return boots.flatMap(({ dyno }) => {
    const address = placedAt.get(dyno.id)
    return address === undefined ? [] : [{ do: 'boot', dyno: { ...dyno, address } }]
  })
}

async function changeRows(steps: readonly RowStep[], look: ThisLook): Promise<void> {
  const { found, configVars, deps, signal } = look
  const { formation, region } = found
  const now = deps.clock.now()
  const rows = steps.filter((step) => step.do !== 'roll back release')
  if (rows.length > 0) {
    const context = { formation, region, configVars, now }
    await inTransaction(deps.pool, (tx) => takeRowSteps(tx, rows, context))
    if (rows.some((step) => freesRoom(step, formation))) await deps.place([], signal)
  }
  for (const { failure } of steps.filter((step) => step.do === 'roll back release')) {
    const { app, release } = formation
    const trial = { app, release, failure, now }
    const { secrets } = deps
    const limits = deps.limits?.() ?? HEROKU_LIMITS
    await inTransaction(deps.pool, (tx) =>
      rollBackRelease(tx, trial, { secrets, limits }),
    )
  }
}

/** A dyno that has a successor leaves it its room. */
function freesRoom(step: RowStep, { quantity }: FormationFacts['formation']): boolean {
  if (step.do !== 'move') return false
  const { dyno, to } = step
  return to === 'idle' || (to === 'down' && (dyno.leaving || dyno.ordinal > quantity))
}

interface Outcome {
  /** What a call that failed for good comes to. */
  readonly next?: RowStep
  readonly failure?: unknown
  readonly isUnverified?: true
}

interface Calls extends ThisLook {
  readonly specs: ReadonlyMap<DynoId, Promise<DynoSpec>>
}

async function outcomeOf(step: CallStep, look: Calls): Promise<Outcome> {
  try {
    await call(step, look)
    return {}
  } catch (error) {
    if (isUnverified(error)) return { isUnverified: true }
    const next = step.do === 'boot' && refused(step.dyno, error, look.deps.clock.now())
    return next ? { next } : { failure: error }
  }
}

async function call({ do: what, dyno }: CallStep, look: Calls): Promise<void> {
  const { deps, specs, signal } = look
  switch (what) {
    case 'boot': {
      const spec = await specs.get(dyno.id)
      return spec && deps.runtime.start(spec, signal)
    }
    case 'terminate':
      return deps.runtime.terminate(dyno.id, signal)
    case 'kill':
      return deps.runtime.kill(dyno.id, signal)
    case 'remove':
      return deps.runtime.remove(dyno.id, signal)
  }
}

interface Boot {
  readonly do: 'boot'
  readonly dyno: PlacedDyno
}

type CallStep = Extract<Step, { do: RuntimeCall }>

function isCall(step: Step): step is CallStep {
  return ['boot', 'terminate', 'kill', 'remove'].includes(step.do)
}

function configVarsOf(found: FormationFacts, secrets: SecretBox): Environment {
  return JSON.parse(secrets.open(found.configVars, found.formation.app)) as Environment
}

async function specFor(
  dyno: PlacedDyno,
  { found, configVars, deps }: ThisLook,
): Promise<DynoSpec> {
  const metadata = await metadataFor(deps.pool, dyno, found.switches)
  const environment = { ...metadata.environment, ...dynoEnvironment(dyno, configVars) }
  const its = { environment, metadata: metadata.file, sizes: deps.sizes?.() }
  return specOf(dyno, found, its)
}

function specOf(
  dyno: PlacedDyno,
  { formation, stack, slugChecksum, tenant }: FormationFacts,
  its: Pick<BootNeeds, 'environment' | 'metadata' | 'sizes'>,
): DynoSpec {
  const { slug } = formation
  const spec = dynoSpec(dyno, { ...its, stack, slug, slugChecksum, tenant })
  return dyno.type === WEB ? { ...spec, port: dyno.port } : spec
}

function waitOf(facts: Facts): number {
  const moves = facts.dynos.filter(isMoving).map((it) => it.updatedAt.getTime())
  const since = facts.now.getTime() - Math.max(...moves)
  const poll = Math.min(LONGEST_WAIT, Math.max(WHILE_MOVING, SHARE_OF_THE_PAST * since))
  return Math.max(0, Math.min(nextMoment(facts), poll))
}

function isMoving({ leaving, state, waitingFor }: Dyno): boolean {
  return leaving || state === 'stopping' || (state === 'starting' && waitingFor === null)
}
