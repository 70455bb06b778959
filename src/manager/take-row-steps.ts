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
import { allocateAddresses } from '../store/addresses.ts'
import { addDynos, moveDyno, type NewDyno } from '../store/dynos.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import type { RuntimeCall, Step } from './plan-formation.ts'

export type RowStep = Exclude<Step, { do: RuntimeCall }>

interface Context {
  readonly formation: Formation
  readonly region: string
  readonly configVars: Environment
  readonly now: Date
}

const PORTS = { from: 10_000, below: 60_000 }

export async function takeRowSteps(
  tx: Queryable,
  steps: readonly RowStep[],
  context: Context,
): Promise<void> {
  const { formation, region } = context
  const places: Place[] = []
  const said: Said[] = []
  for (const step of steps) {
    const taken = await takeRowStep(tx, step, context)
    if (taken.place) places.push(taken.place)
    said.push(...taken.said)
  }
  const added = await newDynos(tx, places, context)
  await addDynos(tx, added)

  said.push(...added.map((dyno) => ({ dyno, line: startLine(dyno, context) })))
  await writeLogLines(
    tx,
    said.map(({ dyno, line }) => ({
      app: formation.app,
      source: 'heroku',
      ps: placeOf(dyno),
      message: line,
    })),
  )
  if (formation.type === 'web' && steps.some(changesRoutes)) await wakeRouter(tx, region)
}

/** Where a dyno is to be added, and how often in a row the place has crashed. */
interface Place {
  readonly ordinal: number
  readonly crashes: number
}

interface Said {
  readonly dyno: Pick<Dyno, 'type' | 'ordinal'>
  readonly line: string
}

interface Taken {
  readonly place?: Place
  readonly said: readonly Said[]
}

const NOTHING: Taken = { said: [] }

async function takeRowStep(
  tx: Queryable,
  step: RowStep,
  { now }: Context,
): Promise<Taken> {
  switch (step.do) {
    case 'add':
      return { place: { ordinal: step.ordinal, crashes: 0 }, said: [] }
    case 'replace': {
      const { dyno, because } = step
      const next = { state: dyno.state, leaving: true, stopReason: because }
      if (!(await moveDyno(tx, dyno, next, now))) return NOTHING
      const lines = [...replacing(because), stateChanged('up', 'starting')]
      return { place: { ordinal: dyno.ordinal, crashes: 0 }, said: saidOf(dyno, lines) }
    }
    case 'revive': {
      const { dyno, crashes } = step
      if (!(await moveDyno(tx, dyno, { state: 'down' }, now))) return NOTHING
      const lines = [stateChanged('crashed', 'starting')]
      return { place: { ordinal: dyno.ordinal, crashes }, said: saidOf(dyno, lines) }
    }
    case 'note start': {
      const { dyno, at } = step
      await moveDyno(tx, dyno, { state: dyno.state, startedAt: at }, now)
      return NOTHING
    }
    case 'move': {
      const { dyno, to, note, say } = step
      const moved = await moveDyno(tx, dyno, { ...note, state: to }, now)
      return moved ? { said: saidOf(dyno, say) } : NOTHING
    }
  }
}

function saidOf(dyno: Dyno, lines: readonly string[]): Said[] {
  return lines.map((line) => ({ dyno, line }))
}

async function newDynos(
  tx: Queryable,
  places: readonly Place[],
  { formation, region, now }: Context,
): Promise<NewDyno[]> {
  const addresses = await allocateAddresses(tx, region, places.length)
  return places.map(({ ordinal, crashes }, at) => ({
    id: newId(),
    app: formation.app,
    formation: formation.id,
    release: formation.release,
    region,
    type: formation.type,
    ordinal,
    size: formation.size,
    command: formation.command,
    address: addresses[at] ?? '',
    port: randomInt(PORTS.from, PORTS.below),
    crashes,
    createdAt: now,
  }))
}

/** Told when the row is made, for what the process prints must not come before it. */
function startLine(dyno: NewDyno, { configVars }: Context): string {
  return startingProcess(expandCommand(dyno.command, dynoEnvironment(dyno, configVars)))
}

const routed: readonly DynoState[] = ['up', 'stopping', 'crashed']

/** Whether the router must look: who is up, and what an app without dynos answers. */
function changesRoutes(step: RowStep): boolean {
  if (step.do !== 'move') return step.do === 'add' || step.do === 'revive'
  const { dyno, to } = step
  return to !== dyno.state && [to, dyno.state].some((it) => routed.includes(it))
}
