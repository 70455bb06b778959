import type { App } from '../model/app.ts'
import { type AccountId, newId } from '../model/ids.ts'
import { digestOf, newToken } from '../model/token.ts'
import { addLogSession, type NewLogSession } from '../store/log-sessions.ts'
import type { Queryable } from '../store/queryable.ts'

export interface LogSessionWish {
  readonly account: AccountId
  readonly source: string | undefined
  readonly dyno: string | undefined
  readonly lines: number
  readonly tail: boolean
}

export interface CreatedLogSession {
  readonly id: NewLogSession['id']
  /** Whoever knows it may read. Only its digest is kept. */
  readonly token: string
  readonly createdAt: Date
}

/** A capability to read the app's log, to be opened soon. */
export async function createLogSession(
  tx: Queryable,
  app: App,
  wish: LogSessionWish,
): Promise<CreatedLogSession> {
  const { account, source = null, dyno = null, lines, tail } = wish
  const id: NewLogSession['id'] = newId()
  const token = newToken()
  const createdAt = await addLogSession(tx, {
    id,
    tokenSha256: digestOf(token),
    app: app.id,
    account,
    source,
    dyno,
    lines,
    tail,
  })
  return { id, token, createdAt }
}
