import type { App } from '../model/app.ts'
import { type AccountId, newId } from '../model/ids.ts'
import { addLogSession, type NewLogSession } from '../store/log-sessions.ts'
import type { Queryable } from '../store/queryable.ts'

export interface LogSessionWish {
  readonly account: AccountId
  readonly source: string | undefined
  readonly dyno: string | undefined
  readonly lines: number
  readonly tail: boolean
}

/** A capability to read the app's log, to be opened soon. */
export async function createLogSession(
  tx: Queryable,
  app: App,
  wish: LogSessionWish,
): Promise<{ readonly id: NewLogSession['id']; readonly createdAt: Date }> {
  const { account, source = null, dyno = null, lines, tail } = wish
  const id: NewLogSession['id'] = newId()
  const createdAt = await addLogSession(tx, {
    id,
    app: app.id,
    account,
    source,
    dyno,
    lines,
    tail,
  })
  return { id, createdAt }
}
