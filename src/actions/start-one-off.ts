import { type Dyno, placeOf } from '../model/dyno.ts'
import { appEvent } from '../model/event.ts'
import { newId } from '../model/ids.ts'
import { freeOrdinal } from '../model/one-off.ts'
import { randomPort } from '../model/random-port.ts'
import { writeEvents } from '../store/events.ts'
import { addOneOff, type NewOneOff, ordinalsTaken } from '../store/one-offs.ts'
import type { Queryable } from '../store/queryable.ts'
import { wake } from '../store/work.ts'

export type StartedOneOff = Pick<
  Dyno,
  'id' | 'type' | 'ordinal' | 'size' | 'command' | 'port' | 'createdAt'
>

/** Whoever calls it holds the app's lock, or two could get one name. */
export async function startOneOff(
  tx: Queryable,
  wish: Omit<NewOneOff, 'id' | 'ordinal' | 'port'>,
): Promise<StartedOneOff> {
  const { app, region, type, size, command } = wish
  const id = newId<'dyno'>()
  const ordinal = freeOrdinal(await ordinalsTaken(tx, app, type))
  const port = randomPort()
  const createdAt = await addOneOff(tx, { ...wish, id, ordinal, port })
  const at = { app, at: createdAt, dyno: id, ps: placeOf({ type, ordinal }) }
  const about = { ...at, release: wish.release, message: `${at.ps} is starting` }
  await writeEvents(tx, [appEvent({ ...about, kind: 'dyno.starting' })])
  await wake(tx, { kind: 'one-off', subject: id, region })
  return { id, type, ordinal, size, command, port, createdAt }
}
