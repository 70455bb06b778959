/** What was authorised before somebody lost an app, or a team, and is written after it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import { ORDINARY } from '../model/access.ts'
import type { Account, App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { HEROKU_LIMITS as limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { emailOfTeam } from '../model/team.ts'
import { type AppTransfer, addTransfer, transfersOf } from '../store/app-transfers.ts'
import { findApp } from '../store/apps.ts'
import { collaboratorsOf } from '../store/collaborators.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { membersOf, setMember } from '../store/teams.ts'
import { addCollaborator } from './add-collaborator.ts'
import { changeMembers } from './change-members.ts'
import { createAccount } from './create-account.ts'
import { createApp } from './create-app.ts'
import { createTeam } from './create-team.ts'
import { destroyApp } from './destroy-app.ts'
import { setAppLocked } from './set-app-locked.ts'
import { offerApp } from './offer-app.ts'
import { setPermissions } from './set-permissions.ts'
import { settleAppTransfer } from './settle-app-transfer.ts'
import { transferApp } from './transfer-app.ts'

const pool = aDatabase()

async function aPerson(name: string): Promise<Account> {
  const email = `${name}-${newId<'account'>()}@example.com`
  return inTransaction(pool, (tx) => createAccount(tx, { email, name: null }))
}

/** An app, whoever gives it away, a collaborator of theirs and an accomplice. */
async function aGivenApp() {
  const { app, account: owner } = await anApp(pool)
  const heir = await aPerson('heir')
  const accomplice = await aPerson('accomplice')
  await inTransaction(pool, (tx) =>
    addCollaborator(tx, { app, account: heir, permissions: [], by: owner }),
  )
  const offer = (to: Account) => (tx: Queryable) => offerApp(tx, { app, to, by: owner })
  const give = (tx: Queryable) => transferApp(tx, { app, to: heir, by: owner, limits })
  return { app, owner, heir, accomplice, offer, give }
}

async function aTeamApp() {
  const { account: admin } = await anApp(pool)
  const member = await aPerson('member')
  return inTransaction(pool, async (tx) => {
    const team = await createTeam(tx, {
      name: `team-${newId<'team'>().slice(0, 8)}`,
      admin,
    })
    await setMember(tx, { team: team.id, account: member.id, role: 'member' })
    const owner = { id: team.id, email: emailOfTeam(team.name) }
    const wish = { account: admin, owner, name: undefined, region: 'us' }
    const app = await createApp(tx, { ...wish, stack: 'debian-12' }, secrets)
    return { app, team, admin, member }
  })
}

/** What an owner might do, whose app it has just ceased to be. */
type Late = (
  tx: Queryable,
  app: App,
  of: { readonly by: Account; readonly account: Account },
) => Promise<unknown>

function refusalOf(end: PromiseSettledResult<unknown>): string {
  assert.ok(end.status === 'rejected', 'it was done')
  assert.ok(end.reason instanceof Problem, String(end.reason))
  return end.reason.id
}

async function ownerOf({ id }: App): Promise<string | undefined> {
  return (await findApp(pool, id))?.owner.id
}

test('who has just given an app away offers it to nobody else', async () => {
  const { app, owner, heir, accomplice, offer, give } = await aGivenApp()
  const end = await oneAfterTheOther(pool, give, offer(accomplice))
  assert.equal(refusalOf(end), 'conflict')
  assert.deepEqual(await transfersOf(pool, accomplice.id), [])
  assert.equal(await ownerOf(app), heir.id)
  // So the new owner can offer it.
  const given = (await findApp(pool, app.id)) as App
  const again = await inTransaction(pool, (tx) =>
    offerApp(tx, { app: given, to: owner, by: heir }),
  )
  assert.equal(again.state, 'pending')
})

test('nor does who has just given it to a team', async () => {
  const { app, owner, accomplice, offer } = await aGivenApp()
  const { app: of } = await aTeamApp()
  const give = (tx: Queryable) =>
    transferApp(tx, { app, to: of.owner, by: owner, limits })
  assert.equal(
    refusalOf(await oneAfterTheOther(pool, give, offer(accomplice))),
    'conflict',
  )
  assert.deepEqual(await transfersOf(pool, accomplice.id), [])
})

test('what somebody else than the owner offers can be declined, not taken', async () => {
  const { app, owner, heir, accomplice, give } = await aGivenApp()
  await inTransaction(pool, give)
  const id = newId<'app transfer'>()
  await addTransfer(pool, { id, app: app.id, owner: owner.id, recipient: accomplice.id })
  const [transfer] = await transfersOf(pool, accomplice.id)
  const settle = async (state: 'accepted' | 'declined') => {
    const settling = {
      transfer: transfer as AppTransfer,
      app: (await findApp(pool, app.id)) as App,
      state,
      limits,
    }
    const [end] = await Promise.allSettled([
      inTransaction(pool, (tx) => settleAppTransfer(tx, settling)),
    ])
    return end
  }
  assert.equal(refusalOf(await settle('accepted')), 'conflict')
  assert.equal(await ownerOf(app), heir.id)
  assert.equal((await settle('declined')).status, 'fulfilled')
})

test('an offer is taken, or the app goes to another: neither waits for the other for ever', async () => {
  const { app, owner, heir, accomplice, offer } = await aGivenApp()
  const transfer = await inTransaction(pool, offer(accomplice))
  const end = await oneAfterTheOther(
    pool,
    (tx) => settleAppTransfer(tx, { transfer, app, state: 'accepted', limits }),
    (tx) => transferApp(tx, { app, to: heir, by: owner, limits }),
  )
  assert.equal(refusalOf(end), 'conflict')
  assert.equal(await ownerOf(app), accomplice.id)
})

test('who has just given an app away lets nobody in, and does not destroy it', async () => {
  const lates: readonly Late[] = [
    (tx, app, { by, account }) =>
      addCollaborator(tx, { app, account, permissions: [], by }),
    (tx, app, { by }) => destroyApp(tx, app, by),
  ]
  for (const late of lates) {
    const { app, owner, heir, accomplice, give } = await aGivenApp()
    const end = await oneAfterTheOther(pool, give, (tx) =>
      late(tx, app, { by: owner, account: accomplice }),
    )
    assert.equal(refusalOf(end), 'conflict')
    assert.equal(await ownerOf(app), heir.id)
    const left = (await collaboratorsOf(pool, app.id)).map((it) => it.account.id)
    assert.deepEqual(left, [owner.id])
  }
})

test('an admin of a team that has just given an app away says nothing of it any more', async () => {
  const lates: readonly Late[] = [
    (tx, app, { by }) => setAppLocked(tx, app, { locked: true, by }),
    async (tx, app, { by }) => {
      const [collaborator] = await collaboratorsOf(pool, app.id)
      assert.ok(collaborator)
      await setPermissions(tx, app, { collaborator, permissions: ['manage'], by })
    },
  ]
  for (const late of lates) {
    const { app, admin, member } = await aTeamApp()
    await inTransaction(pool, (tx) =>
      addCollaborator(tx, { app, account: member, permissions: ORDINARY, by: admin }),
    )
    const end = await oneAfterTheOther(
      pool,
      (tx) => transferApp(tx, { app, to: member, by: admin, limits }),
      (tx) => late(tx, app, { by: admin, account: member }),
    )
    assert.equal(refusalOf(end), 'conflict')
  }
})

test('who is just taken out of a team joins none of its apps', async () => {
  const { app, team, admin, member } = await aTeamApp()
  const end = await oneAfterTheOther(
    pool,
    (tx) =>
      changeMembers(tx, team.id, { account: member.id, role: undefined, by: admin.id }),
    (tx) =>
      addCollaborator(tx, { app, account: member, permissions: ORDINARY, by: member }),
  )
  assert.equal(refusalOf(end), 'not_found')
  assert.deepEqual(await collaboratorsOf(pool, app.id), [])
})

test('an admin who is just taken out of a team does not put themselves back', async () => {
  const { team, admin, member } = await aTeamApp()
  await setMember(pool, { team: team.id, account: member.id, role: 'admin' })
  const end = await oneAfterTheOther(
    pool,
    (tx) =>
      changeMembers(tx, team.id, { account: member.id, role: undefined, by: admin.id }),
    (tx) =>
      changeMembers(tx, team.id, { account: member.id, role: 'admin', by: member.id }),
  )
  assert.equal(refusalOf(end), 'conflict')
  const left = (await membersOf(pool, team.id)).map(({ account }) => account.id)
  assert.deepEqual(left, [admin.id])
})
