import type { App } from '../model/app.ts'
import type { Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { type AppTransfer, settleTransfer } from '../store/app-transfers.ts'
import type { Queryable } from '../store/queryable.ts'
import { standingIn, standingOn } from '../store/standings.ts'
import { lockOwnedApp } from './lock-owned-app.ts'
import { transferApp } from './transfer-app.ts'

export interface SettlementWish {
  readonly transfer: AppTransfer
  readonly app: App
  readonly state: 'accepted' | 'declined'
  readonly limits: Limits
}

/** The recipient takes the app, or does not. */
export async function settleAppTransfer(
  tx: Queryable,
  { transfer, app, state, limits }: SettlementWish,
): Promise<void> {
  // First, as whoever gives it away does: who waits for whom has an order then.
  await lockOwnedApp(tx, app)
  if (!(await settleTransfer(tx, transfer.id, state))) {
    throw new Problem('invalid_params', 'The transfer is settled.')
  }
  if (state === 'declined') return
  // The owner, or an admin of the team that is.
  const offerer = await standingOn(tx, transfer.owner.id, app.id)
  if (!offerer?.permissions.includes('manage')) {
    throw new Problem('conflict', 'Who offered the app may not give it away any more.')
  }
  // Of a team's apps only its own people are offered any.
  const { recipient } = transfer
  if (app.team && !(await standingIn(tx, recipient.id, app.team.id))) {
    throw new Problem('conflict', 'Only members of its team may take the app.')
  }
  await transferApp(tx, { app, to: recipient, by: transfer.owner, limits })
}
