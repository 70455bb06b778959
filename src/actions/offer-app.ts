import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import {
  addTransfer,
  type AppTransfer,
  transfersOf,
  withdrawTransfers,
} from '../store/app-transfers.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockOwnedApp } from './lock-owned-app.ts'
import type { Transfer } from './transfer-app.ts'

/**
 * It is theirs once they take it (`settleAppTransfer`), and counts as nothing of theirs until then.
 * Not even who works on an app has it at once: one is made a collaborator, or a team's member,
 * unasked, and who can be given apps unasked can be given as many as an account may have.
 */
export async function offerApp(
  tx: Queryable,
  { app, to, by }: Omit<Transfer, 'limits'>,
): Promise<AppTransfer> {
  if (to.id === app.owner.id) {
    throw new Problem('invalid_params', `${to.email} owns the app already.`)
  }
  await lockOwnedApp(tx, app)
  // What another admin of the team offers, this one cannot see, nor take back.
  if (app.team) await withdrawTransfers(tx, app.id)
  const offer = {
    id: newId<'app transfer'>(),
    app: app.id,
    owner: by.id,
    recipient: to.id,
  }
  if (!(await addTransfer(tx, offer))) {
    throw new Problem('invalid_params', 'The app is being offered to somebody already.')
  }
  const message = `Offered to ${to.email} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
  const transfer = (await transfersOf(tx, by.id)).find((it) => it.id === offer.id)
  if (!transfer) throw new Error(`transfer ${offer.id} is gone`)
  return transfer
}
