import { type Dyno, placeOf } from '../model/dyno.ts'
import type { AppEvent, EventKind } from '../model/event.ts'
import { stoppedEarly } from './endings.ts'
import type { Move, RowStep } from './steps.ts'

/** What a step on a dyno is told as, with its cause; undefined: nothing that anybody asks for. */
export function eventOf(step: RowStep, now: Date): AppEvent | undefined {
  switch (step.do) {
    case 'replace': {
      const message = `${placeOf(step.dyno)} is replaced: ${step.because}`
      return eventAbout(step.dyno, now, ['dyno.restarting', step.because, message])
    }
    case 'move': {
      const told = toldOf(step, now)
      return told && eventAbout(step.dyno, now, told)
    }
    case 'revive': {
      const message = `${placeOf(step.dyno)} is started anew`
      return eventAbout(step.dyno, now, ['dyno.down', step.dyno.stopReason, message])
    }
    // The dyno that comes of it is told of by itself.
    case 'add':
    case 'note start':
    case 'give back address':
    case 'roll back release':
      return undefined
  }
}

/** A row was made for it. */
export function startingEvent(
  dyno: Pick<Dyno, 'app' | 'id' | 'type' | 'ordinal' | 'release'>,
  now: Date,
): AppEvent {
  return eventAbout(dyno, now, ['dyno.starting', null, `${placeOf(dyno)} is starting`])
}

type Told = readonly [kind: EventKind, cause: string | null, message: string]

function toldOf({ dyno, to, note }: Move, now: Date): Told | undefined {
  const place = placeOf(dyno)
  const cause = note.stopReason ?? dyno.stopReason
  const exited = `with status ${note.exitStatus}`
  if (to === dyno.state) {
    if (note.exitStatus !== undefined) {
      return ['dyno.exited', cause, `${place} exited ${exited}`]
    }
    if (!note.killedAt) return undefined
    if (dyno.state === 'stopping') {
      return ['dyno.exit-timeout', cause, `${place} did not exit in time and is killed`]
    }
    // Who lost its monitor has crashed a moment later, and is told of as that.
    if (cause === 'host lost') return undefined
    return cause === 'unhealthy'
      ? ['dyno.unhealthy', cause, `${place} failed its health check and is killed`]
      : [
          'dyno.boot-timeout',
          cause,
          `${place} did not bind its port in time and is killed`,
        ]
  }
  switch (to) {
    case 'up':
      return ['dyno.up', null, `${place} is up`]
    case 'stopping':
      // As above: a stop is told of once.
      if (stoppedEarly({ ...dyno, stopReason: cause, updatedAt: now })) return undefined
      return ['dyno.stopping', cause, `${place} stops: ${cause}`]
    case 'crashed': {
      const next = note.nextAttemptAt
        ? `; next start at ${note.nextAttemptAt.toISOString()}`
        : ''
      return ['dyno.crashed', cause, `${place} crashed: ${cause}${next}`]
    }
    case 'idle':
      return ['dyno.idle', cause, `${place} sleeps`]
    case 'down':
      return ['dyno.down', cause, `${place} is down`]
    case 'starting':
      return undefined
  }
}

function eventAbout(
  dyno: Pick<Dyno, 'app' | 'id' | 'type' | 'ordinal' | 'release'>,
  at: Date,
  [kind, cause, message]: Told,
): AppEvent {
  const { app, id, release } = dyno
  return { app, at, kind, dyno: id, ps: placeOf(dyno), release, cause, message }
}
