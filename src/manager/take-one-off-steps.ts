import { settleRelease } from '../actions/settle-release.ts'
import { placeOf } from '../model/dyno.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { moveDynos } from '../store/dynos.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { noteHangUp, wakeOneOffs } from '../store/one-offs.ts'
import type { Queryable } from '../store/queryable.ts'
import { eventOf } from './event-of.ts'
import type { OneOffStep } from './plan-one-off.ts'
import type { Move } from './steps.ts'

export type OneOffRowStep = Extract<
  OneOffStep,
  { do: 'move' | 'note hang-up' | 'settle release' }
>

/** One step's row changes, with the log lines and events that belong to them. */
export async function takeOneOffStep(
  tx: Queryable,
  step: OneOffRowStep,
  now: Date,
): Promise<void> {
  switch (step.do) {
    case 'move':
      return takeMove(tx, step, now)
    case 'note hang-up':
      await noteHangUp(tx, step.dyno.id, step.note)
      return say(tx, step, [step.say])
    case 'settle release': {
      const { releasePhase } = step.dyno
      if (releasePhase)
        await settleRelease(tx, { release: releasePhase, failure: step.failure })
    }
  }
}

/** A move that lost a race against another's is left out, lines and all. */
async function takeMove(tx: Queryable, step: Move, now: Date): Promise<void> {
  const { dyno, to, note, say: lines } = step
  const moved = await moveDynos(tx, [{ dyno, next: { ...note, state: to } }], now)
  if (!moved.has(dyno.id)) return
  await say(tx, step, lines)
  // The command of the release that superseded it may run.
  if (note.exitedAt && dyno.type === RELEASE_TYPE) await wakeOneOffs(tx, dyno.app)
  const event = eventOf(step, now)
  if (event) await writeEvents(tx, [event])
}

function say(
  tx: Queryable,
  { dyno }: Pick<OneOffRowStep, 'dyno'>,
  lines: readonly string[],
): Promise<void> {
  const [app, ps] = [dyno.app, placeOf(dyno)]
  return writeLogLines(
    tx,
    lines.map((message) => ({ app, source: 'heroku', ps, message })),
  )
}
