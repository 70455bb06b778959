import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { addTransfer, type AppTransfer, transfersOf } from '../store/app-transfers.ts'
import { findCollaborator } from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockOwnedApp } from './lock-owned-app.ts'
import { settleAppTransfer } from './settle-app-transfer.ts'
import type { Transfer } from './transfer-app.ts'

/**
 * Somebody who works on the app already has it at once; anybody else has to take it first,
 * so that nobody comes by an app unasked.
 */
export async function offerApp(tx: Queryable, wish: Transfer): Promise<AppTransfer> {
  const { app, to, by, limits } = wish
  if (app.team) {
    throw new Problem(
      'invalid_params',
      `A team's app is given away by PATCH /teams/apps.`,
    )
  }
  if (to.id === app.owner.id) {
    throw new Problem('invalid_params', `${to.email} owns the app already.`)
  }
  await lockOwnedApp(tx, app)
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
  if (!(await findCollaborator(tx, app.id, to.id))) return transfer
  await settleAppTransfer(tx, { transfer, app, state: 'accepted', limits })
  return { ...transfer, state: 'accepted' }
}
