/**
 * The row changes of one look, with the log lines and wakes that belong to them. A change
 * that lost a race against another's is left out, lines and all.
 */

import { randomInt } from 'node:crypto'

import { type Dyno, type DynoState, placeOf } from '../model/dyno.ts'
import {
  dynoEnvironment,
  type Environment,
  expandCommand,
} from '../model/dyno-environment.ts'
import { replacing, startingProcess, stateChanged } from '../model/dyno-lines.ts'
import type { Formation } from '../model/formation.ts'
import { newId } from '../model/ids.ts'
import { allocateAddress } from '../store/addresses.ts'
import { addDyno, moveDyno } from '../store/dynos.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import type { Step } from './plan-formation.ts'

interface Context {
  readonly formation: Formation
  readonly region: string
  readonly configVars: Environment
  readonly now: Date
}

const PORTS = { from: 10_000, below: 60_000 }

export async function takeRowSteps(
  tx: Queryable,
  steps: readonly Step[],
  context: Context,
): Promise<void> {
  let routesChanged = false
  for (const step of steps) {
    const { dyno, lines } = await takeRowStep(tx, step, context)
    if (lines.length > 0) await say(tx, dyno, lines)
    if (dyno.type === 'web' && changesRoutes(step)) routesChanged = true
  }
  if (routesChanged) await wakeRouter(tx, context.region)
}

interface Taken {
  readonly dyno: Pick<Dyno, 'app' | 'type' | 'ordinal'>
  readonly lines: readonly string[]
}

async function takeRowStep(tx: Queryable, step: Step, context: Context): Promise<Taken> {
  switch (step.do) {
    case 'add':
      return add(tx, { ordinal: step.ordinal, crashes: 0 }, context)
    case 'replace':
      return replace(tx, step, context)
    case 'revive':
      return revive(tx, step, context)
    case 'note start':
      await moveDyno(
        tx,
        step.dyno,
        { state: step.dyno.state, startedAt: step.at },
        context.now,
      )
      return { dyno: step.dyno, lines: [] }
    case 'move': {
      const next = { ...step.note, state: step.to }
      const moved = await moveDyno(tx, step.dyno, next, context.now)
      return { dyno: step.dyno, lines: moved ? step.say : [] }
    }
    case 'boot':
    case 'terminate':
    case 'kill':
    case 'remove':
      return { dyno: step.dyno, lines: [] }
  }
}

async function replace(
  tx: Queryable,
  { dyno, because }: Extract<Step, { do: 'replace' }>,
  context: Context,
): Promise<Taken> {
  const next = { state: dyno.state, leaving: true, stopReason: because }
  if (!(await moveDyno(tx, dyno, next, context.now))) return { dyno, lines: [] }
  const { lines } = await add(tx, { ordinal: dyno.ordinal, crashes: 0 }, context)
  return {
    dyno,
    lines: [...replacing(because), stateChanged('up', 'starting'), ...lines],
  }
}

async function revive(
  tx: Queryable,
  { dyno, crashes }: Extract<Step, { do: 'revive' }>,
  context: Context,
): Promise<Taken> {
  if (!(await moveDyno(tx, dyno, { state: 'down' }, context.now)))
    return { dyno, lines: [] }
  const { lines } = await add(tx, { ordinal: dyno.ordinal, crashes }, context)
  return { dyno, lines: [stateChanged('crashed', 'starting'), ...lines] }
}

/** Its start is told here, for what the process prints must not come before it. */
async function add(
  tx: Queryable,
  { ordinal, crashes }: { readonly ordinal: number; readonly crashes: number },
  { formation, region, configVars, now }: Context,
): Promise<Taken> {
  const { app, type, command } = formation
  const port = randomInt(PORTS.from, PORTS.below)
  await addDyno(tx, {
    id: newId(),
    app,
    formation: formation.id,
    release: formation.release,
    region,
    type,
    ordinal,
    size: formation.size,
    command,
    address: await allocateAddress(tx, region),
    port,
    crashes,
    createdAt: now,
  })
  const dyno = { app, type, ordinal, port }
  const environment = dynoEnvironment(dyno, configVars)
  return { dyno, lines: [startingProcess(expandCommand(command, environment))] }
}

const routed: readonly DynoState[] = ['up', 'stopping', 'crashed']

/** Whether the router must look: who is up, and what an app without dynos answers. */
function changesRoutes(step: Step): boolean {
  if (step.do !== 'move') return step.do === 'add' || step.do === 'revive'
  return (
    step.to !== step.dyno.state &&
    [step.to, step.dyno.state].some((it) => routed.includes(it))
  )
}

async function say(
  tx: Queryable,
  dyno: Taken['dyno'],
  lines: readonly string[],
): Promise<void> {
  const ps = placeOf(dyno)
  await writeLogLines(
    tx,
    lines.map((message) => ({ app: dyno.app, source: 'heroku', ps, message })),
  )
}
