/** Accounts that know each other and one that nobody knows, with tokens of every kind. */

import { randomUUID } from 'node:crypto'

import type { Pool } from 'pg'

import { addCollaborator } from '../src/actions/add-collaborator.ts'
import { createAccount } from '../src/actions/create-account.ts'
import { createApp } from '../src/actions/create-app.ts'
import { createTeam } from '../src/actions/create-team.ts'
import { setAppLocked } from '../src/actions/set-app-locked.ts'
import type { Account, App } from '../src/model/app.ts'
import { type AccountId, newId } from '../src/model/ids.ts'
import type { Scope } from '../src/model/scope.ts'
import { emailOfTeam } from '../src/model/team.ts'
import { digestOf } from '../src/model/token.ts'
import { ensureAuthorization } from '../src/store/accounts.ts'
import { inTransaction, type Queryable } from '../src/store/queryable.ts'
import { setMember } from '../src/store/teams.ts'
import { secrets } from './an-app.ts'

export const CALLERS = [
  'no token',
  'bad token',
  'expired token',
  'read-only token',
  'write token',
  'identity token',
  'another tenant',
  'collaborator',
  'team collaborator: deploy',
  'team member',
  'team admin',
  'owner',
] as const
export type Caller = (typeof CALLERS)[number]

export interface Tenancy {
  /** The four with a token of less are the owner's, who is the team's admin too. */
  readonly tokens: Readonly<Record<Caller, string | undefined>>
  readonly accounts: Readonly<Record<'owner' | 'collaborator' | 'member', Account>>
  /** Names. */
  readonly team: string
  readonly apps: Readonly<Record<'personal app' | 'team app' | 'locked team app', string>>
}

/** Needs the region `us`. */
export async function aTenancy(pool: Pool): Promise<Tenancy> {
  return inTransaction(pool, async (tx) => {
    const person = (name: string) =>
      createAccount(tx, { email: `${name}@example.com`, name: null })
    const owner = await person('owner')
    const collaborator = await person('collaborator')
    const member = await person('member')
    const deployer = await person('deployer')
    const stranger = await person('stranger')

    const team = await createTeam(tx, { name: 'my-team', admin: owner })
    await setMember(tx, { team: team.id, account: member.id, role: 'member' })
    await setMember(tx, { team: team.id, account: deployer.id, role: 'collaborator' })
    const teamAccount = { id: team.id, email: emailOfTeam(team.name) }
    const make = (name: string, of: Account) =>
      createApp(
        tx,
        { account: owner, owner: of, name, region: 'us', stack: 'debian-12' },
        secrets,
      )
    const app = await make('personal-app', owner)
    const teamApp = await make('team-app', teamAccount)
    const locked = await make('locked-app', teamAccount)
    await setAppLocked(tx, locked, { locked: true, by: owner })
    await addCollaborator(tx, { app, account: collaborator, permissions: [], by: owner })
    await addCollaborator(tx, {
      app: teamApp,
      account: deployer,
      permissions: ['deploy'],
      by: owner,
    })

    return {
      accounts: { owner, collaborator, member },
      team: team.name,
      apps: {
        'personal app': app.name,
        'team app': teamApp.name,
        'locked team app': locked.name,
      },
      tokens: {
        'no token': undefined,
        'bad token': randomUUID(),
        'expired token': await aToken(tx, owner, { expiresAt: new Date(0) }),
        'read-only token': await aToken(tx, owner, { scope: ['read'] }),
        'write token': await aToken(tx, owner, { scope: ['write'] }),
        'identity token': await aToken(tx, owner, { scope: ['identity'] }),
        'another tenant': await aToken(tx, stranger),
        collaborator: await aToken(tx, collaborator),
        'team collaborator: deploy': await aToken(tx, deployer),
        'team member': await aToken(tx, member),
        'team admin': await aToken(tx, owner),
        owner: await aToken(tx, owner),
      },
    }
  })
}

export async function aToken(
  tx: Queryable,
  account: Account,
  less: { readonly scope?: readonly Scope[]; readonly expiresAt?: Date } = {},
): Promise<string> {
  const token = randomUUID()
  await ensureAuthorization(tx, {
    id: newId(),
    account: account.id,
    sha256: digestOf(token),
    description: 'a test',
    ...less,
  })
  return token
}

/** A collaborator of an app with an account of its own, and its token. */
export function aDeployer(
  pool: Pool,
  app: App,
): Promise<{ readonly id: AccountId; readonly token: string }> {
  return inTransaction(pool, async (tx) => {
    const email = `${newId()}@example.com`
    const deployer = await createAccount(tx, { email, name: null })
    await addCollaborator(tx, { app, account: deployer, permissions: [], by: app.owner })
    return { id: deployer.id, token: await aToken(tx, deployer) }
  })
}
