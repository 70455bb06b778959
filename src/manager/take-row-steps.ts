/**
 * The row changes of one look, with the log lines and wakes that belong to them. A change
 * that lost a race against another's is left out, lines and all.
 */

import { type Dyno, type DynoState, placeOf } from '../model/dyno.ts'
import type { Environment } from '../model/dyno-environment.ts'
import type { AppEvent } from '../model/event.ts'
import type { Formation } from '../model/formation.ts'
import { newId } from '../model/ids.ts'
import { randomPort } from '../model/random-port.ts'
import { startLine } from '../model/start-line.ts'
import {
  addDynos,
  type DynoMove,
  giveBackAddresses,
  moveDynos,
  type NewDyno,
} from '../store/dynos.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import { recordReady } from '../store/trials.ts'
import { WEB } from './facts.ts'
import { eventOf, startingEvent } from './event-of.ts'
import type { RowStep } from './steps.ts'

interface Context {
  readonly formation: Formation
  readonly region: string
  readonly configVars: Environment
  readonly now: Date
}

export async function takeRowSteps(
  tx: Queryable,
  steps: readonly RowStep[],
  context: Context,
): Promise<void> {
  const { formation, region, now } = context
  const taken = steps.map((step) => asTaken(step, now))
  const moves = taken.flatMap(({ move }) => move ?? [])
  const moved = await moveDynos(tx, moves, now)
  await giveBackAddresses(
    tx,
    steps.flatMap((step) => (step.do === 'give back address' ? [step.dyno.id] : [])),
  )
  const done = taken.filter(({ move }) => !move || moved.has(move.dyno.id))

  const places = done.flatMap(({ place }) => place ?? [])
  const added = newDynos(places, context)
  await addDynos(tx, added)

  const said = [
    ...done.flatMap((it) => it.said),
    // Told when the row is made, for what the process prints must not come before it.
    ...added.map((dyno) => ({ dyno, line: startLine(dyno, context.configVars) })),
  ]
  await writeLogLines(
    tx,
    said.map(({ dyno, line }) => ({
      app: formation.app,
      source: 'heroku',
      ps: placeOf(dyno),
      message: line,
    })),
  )
  await writeEvents(tx, [
    ...done.flatMap((it) => it.event ?? []),
    ...added.map((dyno) => startingEvent(dyno, now)),
  ])
  if (formation.type !== WEB) return
  const ready = done.some(
    ({ move }) => move?.next.state === 'up' && move.dyno.release === formation.release,
  )
  if (ready && !formation.proven) await recordReady(tx, formation.release, now)
  if (steps.some(changesRoutes)) await wakeRouter(tx, region)
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

/** What a step comes to: all of it, or nothing where its dyno was moved by another. */
interface Taken {
  readonly move?: DynoMove
  readonly place?: Place
  readonly said: readonly Said[]
  readonly event?: AppEvent | undefined
}

function asTaken(step: RowStep, now: Date): Taken {
  const event = eventOf(step, now)
  switch (step.do) {
    case 'add':
      return { place: { ordinal: step.ordinal, crashes: 0 }, said: [] }
    case 'replace': {
      const { dyno, because, say } = step
      const next = { state: dyno.state, leaving: true, stopReason: because }
      const place = { ordinal: dyno.ordinal, crashes: 0 }
      return { move: { dyno, next }, place, said: saidOf(dyno, say), event }
    }
    case 'revive': {
      const { dyno, crashes, say } = step
      const place = { ordinal: dyno.ordinal, crashes }
      return {
        move: { dyno, next: { state: 'down' } },
        place,
        said: saidOf(dyno, say),
        event,
      }
    }
    case 'note start': {
      const { dyno, at } = step
      return { move: { dyno, next: { state: dyno.state, startedAt: at } }, said: [] }
    }
    case 'move': {
      const { dyno, to, note, say } = step
      return {
        move: { dyno, next: { ...note, state: to } },
        said: saidOf(dyno, say),
        event,
      }
    }
    // A statement of its own, and an action: see rollBackRelease.
    case 'give back address':
    case 'roll back release':
      return { said: [] }
  }
}

function saidOf(dyno: Dyno, lines: readonly string[]): Said[] {
  return lines.map((line) => ({ dyno, line }))
}

function newDynos(
  places: readonly Place[],
  { formation, region, now }: Context,
): NewDyno[] {
  return places.map(({ ordinal, crashes }) => ({
    id: newId(),
    app: formation.app,
    formation: formation.id,
    release: formation.release,
    region,
    type: formation.type,
    ordinal,
    size: formation.size,
    command: formation.command,
    port: randomPort(),
    crashes,
    createdAt: now,
  }))
}

const routed: readonly DynoState[] = ['up', 'stopping', 'crashed']

/** Whether the router must look: who is up, and what an app without dynos answers. */
function changesRoutes(step: RowStep): boolean {
  if (step.do !== 'move') return step.do === 'add' || step.do === 'revive'
  const { dyno, to } = step
  return to !== dyno.state && [to, dyno.state].some((it) => routed.includes(it))
}
