/**
 * One look at one one-off dyno. As with formations, it is told nothing but the id, rows are
 * changed first and calls made then, and dying anywhere in between loses nothing.
 */

import type { Pool } from 'pg'

import { type Clock, earliest, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { Jump } from '../lib/clock-jumps.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { dynoEnvironment, type Environment } from '../model/dyno-environment.ts'
import { timesNotedOf } from '../model/dyno.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import type { DynoId } from '../model/ids.ts'
import { liesAhead } from '../model/noted-times.ts'
import type { OneOff } from '../model/one-off.ts'
import { startLine } from '../model/start-line.ts'
import type { Size } from '../model/size.ts'
import type { Timings } from '../model/timings.ts'
import type { DynoStatus, Runtime } from '../runtime/runtime.ts'
import { countStartFrom } from '../store/dynos.ts'
import { keepOutput } from '../store/keep-output.ts'
import { noteOneOffAnew } from '../store/noted-times.ts'
import { findOneOff, type FoundOneOff } from '../store/one-offs.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Look } from '../work/loop.ts'
import { dynoSpec } from './dyno-spec.ts'
import { metadataFor } from './metadata-for.ts'
import {
  nextMoment,
  type OneOffFacts,
  type OneOffStep,
  endedUnseen,
  planOneOff,
} from './plan-one-off.ts'
import type { Placer } from './place-dynos.ts'
import { isUnverified, refusalOf } from './refused.ts'
import { type OneOffRowStep, takeOneOffStep } from './take-one-off-steps.ts'

interface OneOffDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly clock: Clock
  /** Milliseconds that the manager's clock is ahead of the machine's, which others write by. */
  readonly ahead: () => number
  readonly timings: () => Timings
  /** Whether it may boot: there is room for it. */
  readonly place: Placer['place']
  /** As set now; undefined: as Heroku has them. */
  readonly sizes?: () => readonly Size[]
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: () => Date | undefined
  /** Where the clock was set forward: see lib/clock-jumps.ts; undefined: nobody looks. */
  readonly jumps?: () => readonly Jump[]
}

const LONGEST_WAIT = MINUTE
/** The runtime's hints may get lost: while something is under way we look by ourselves. */
const WHILE_MOVING = SECOND
/** Killed again and again until it is gone, which takes a while where the disk is slow. */
const WHILE_KILLED = 0.1 * SECOND
/** The runtime says when it knows of a slug; its hints may get lost. */
const UNTIL_VERIFIED = 10 * SECOND
/** How soon what a release phase prints is seen by those who follow it. */
const FOLLOW = 0.15 * SECOND

/** The look for work kind `one-off`; its subject is the dyno's id. */
export function lookAfterOneOff(deps: OneOffDeps): Look {
  let since = deps.clock.now()
  return async (subject, signal) => {
    const { pool, runtime } = deps
    const id = subject as DynoId
    const found = await findOneOff(pool, id)
    if (!found) return Infinity
    const status = (await runtime.status([id], signal)).get(id)
    // What it printed is kept before its end is known, for then nobody reads on.
    const { releasePhase: release } = found.oneOff
    if (release && status && status.is !== 'created') {
      const read = (offset: number) => runtime.output(id, offset, signal)
      await keepOutput(pool, { release }, { read })
    }
    const look = { found, environment: environmentOf(found, deps.secrets), deps, signal }
    const known = factsOf(look, status)
    if (await notedAnew(known, deps)) return 0
    since = earliest(since, known.now)
    const facts = { ...known, since, jumps: deps.jumps?.() }
    const steps = planOneOff(facts)
    try {
      for (const step of steps) await take(step, look)
    } catch (error) {
      if (!isUnverified(error)) throw error
      await countStartFrom(pool, [id], deps.clock.now())
      return Math.max(0, Math.min(nextMoment(facts), UNTIL_VERIFIED))
    }
    if (steps.length === 0) return waitOf(facts)
    const onlyKills = steps.every((step) => step.do === 'kill')
    return onlyKills ? Math.min(WHILE_KILLED, waitOf(facts)) : 0
  }
}

/** Whether some time had to be, for a clock that was set back. */
async function notedAnew(
  { oneOff, now }: Pick<OneOffFacts, 'oneOff' | 'now'>,
  { pool, ahead }: OneOffDeps,
): Promise<boolean> {
  const { attachedAt, detachedAt, hungUpAt } = oneOff
  const times = [...timesNotedOf(oneOff), attachedAt, detachedAt, hungUpAt]
  if (!liesAhead(now, times)) return false
  const othersNow = later(now, -ahead())
  await inTransaction(pool, (tx) => noteOneOffAnew(tx, oneOff.id, { now, othersNow }))
  return true
}

interface ThisLook {
  readonly found: FoundOneOff
  readonly environment: Environments
  readonly deps: OneOffDeps
  readonly signal: AbortSignal
}

interface Environments {
  readonly configVars: Environment
  /** All that the process sees. */
  readonly whole: Environment
}

function environmentOf(found: FoundOneOff, secrets: SecretBox): Environments {
  const { oneOff } = found
  const open = (box: Buffer) => JSON.parse(secrets.open(box, oneOff.app)) as Environment
  const configVars = open(found.configVars)
  const own = open(found.environment)
  return { configVars, whole: dynoEnvironment(oneOff, { ...configVars, ...own }) }
}

function factsOf(
  { found, environment, deps }: ThisLook,
  status: DynoStatus | undefined,
): Omit<OneOffFacts, 'since'> {
  const { appIsThere, releaseStatus, otherCommands, switches } = found
  const timings = deps.timings()
  const oneOff = onOurClock(found.oneOff, deps.ahead())
  return {
    oneOff,
    status,
    policy: dynoPolicy(environment.configVars, enabledFeatures(switches), timings),
    timings,
    appIsThere,
    releaseStatus,
    otherCommands,
    startLine: () => startLine(oneOff, environment.whole),
    sizes: deps.sizes?.(),
    downAt: deps.downAt?.(),
    now: deps.clock.now(),
  }
}

/** Those of its times that others wrote. */
function onOurClock(oneOff: OneOff, ahead: number): OneOff {
  const { createdAt, attachedAt, detachedAt } = oneOff
  return {
    ...oneOff,
    createdAt: later(createdAt, ahead),
    attachedAt: attachedAt && later(attachedAt, ahead),
    detachedAt: detachedAt && later(detachedAt, ahead),
  }
}

async function take(step: OneOffStep, look: ThisLook): Promise<void> {
  const { deps, signal } = look
  const { runtime } = deps
  const { id } = step.dyno
  switch (step.do) {
    case 'move':
    case 'note hang-up':
    case 'settle release':
      await changeRows(step, deps)
      // Room has come for whoever waits.
      if (step.do === 'move' && step.to === 'down') await deps.place([], signal)
      return
    case 'boot':
      return boot(look)
    case 'hang up':
      return runtime.hangUp(id, signal)
    case 'terminate':
      return runtime.terminate(id, signal)
    case 'kill':
      return runtime.kill(id, signal)
    case 'remove':
      return runtime.remove(id, signal)
  }
}

async function boot({ found, environment, deps, signal }: ThisLook): Promise<void> {
  const { oneOff } = found
  const address = (await deps.place([oneOff.id], signal)).get(oneOff.id)
  if (address === undefined) return
  const metadata = await metadataFor(deps.pool, oneOff, found.switches)
  const spec = dynoSpec(
    { ...oneOff, address },
    {
      ...found,
      environment: { ...metadata.environment, ...environment.whole },
      metadata: metadata.file,
      sizes: deps.sizes?.(),
      ...(oneOff.attached && { attachment: { terminal: oneOff.terminal ?? undefined } }),
    },
  )
  try {
    await deps.runtime.start(spec, signal)
  } catch (error) {
    const line = refusalOf(error)
    if (line === undefined) throw error
    await changeRows(
      endedUnseen(oneOff, { because: 'checksum', lines: [line], now: deps.clock.now() }),
      deps,
    )
  }
}

function changeRows(step: OneOffRowStep, { pool, clock }: OneOffDeps): Promise<void> {
  return inTransaction(pool, (tx) => takeOneOffStep(tx, step, clock.now()))
}

function waitOf(facts: OneOffFacts): number {
  return Math.max(0, Math.min(nextMoment(facts), longestWait(facts)))
}

function longestWait({ oneOff, otherCommands }: OneOffFacts): number {
  const { state, releasePhase, attached, attachedAt } = oneOff
  // Whoever comes, or ends, wakes us.
  const awaitsOthers = (attached && !attachedAt) || otherCommands.run
  if (state === 'starting' && awaitsOthers) return LONGEST_WAIT
  if (releasePhase) return FOLLOW
  return state === 'up' ? LONGEST_WAIT : WHILE_MOVING
}
