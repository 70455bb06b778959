/** The SSH server on a port, with a real client and database; the test plays the processes. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import ssh2, { type Client, type ClientChannel } from 'ssh2'

import { anApp, secrets } from '../../test/an-app.ts'
import { aRunningDyno } from '../../test/a-running-dyno.ts'
import { asRole, aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { addCollaborator } from '../actions/add-collaborator.ts'
import { createAccount } from '../actions/create-account.ts'
import { createTeam } from '../actions/create-team.ts'
import { removeCollaborator } from '../actions/remove-collaborator.ts'
import { reserveExec } from '../actions/reserve-exec.ts'
import { setAppFeature } from '../actions/set-app-feature.ts'
import { transferApp } from '../actions/transfer-app.ts'
import { roleOf } from '../installation/roles.ts'
import { HOUR, later, pause, SECOND } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Account, App } from '../model/app.ts'
import { type DynoId, newId } from '../model/ids.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { emailOfTeam } from '../model/team.ts'
import { digestOf, newToken } from '../model/token.ts'
import {
  type AuthorizationId,
  ensureAuthorization,
  removeAuthorization,
  rotateAuthorization,
} from '../store/accounts.ts'
import { changeOwner } from '../store/apps.ts'
import { findCollaborator } from '../store/collaborators.ts'
import { inTransaction } from '../store/queryable.ts'
import { setMember } from '../store/teams.ts'
import { execServer, type ExecServerDeps } from './exec-server.ts'
import { sshKeyPair } from './ssh-key-pair.ts'

const LOOK_EVERY = 50

const pool = aDatabase()
const hostKey = sshKeyPair().private
// Short: a socket's path may have 107 bytes.
const directory = mkdtempSync('/tmp/e-')
const servers: Server[] = []
const clients = new Set<Client>()
let port = 0

before(async () => {
  port = await aServer({ lookEvery: LOOK_EVERY })
})

after(() => {
  for (const it of clients) it.destroy()
  for (const it of servers) it.close()
  rmSync(directory, { recursive: true })
})

test('a client that was let in is joined with a process, and stays', async () => {
  const { guest } = await aSharedApp()
  const client = await guest.comes()
  assert.equal(await outputOf(client, guest.dyno), 'hello')
  await pause(4 * LOOK_EVERY)
  assert.equal(await outputOf(client, guest.dyno), 'hello')
  client.end()
})

test('a collaborator who is shut out is out of the dyno, and does not come back', async () => {
  const { app, owner, guest } = await aSharedApp()
  await isOutAfter(guest, async () => {
    await inTransaction(pool, async (tx) => {
      const collaborator = await findCollaborator(tx, app.id, guest.account.email)
      assert.ok(collaborator)
      await removeCollaborator(tx, app, { collaborator, by: owner })
    })
  })
})

test('so is one whose token is revoked, given another key, or expires', async () => {
  const { guest } = await aSharedApp()
  await isOutAfter(guest, () =>
    removeAuthorization(pool, guest.account.id, guest.authorization),
  )
  const second = await guest.again()
  await isOutAfter(second, () =>
    rotateAuthorization(pool, second.authorization, digestOf(newToken())),
  )
  const expiresAt = later(new Date(), HOUR)
  const third = await guest.again({ expiresAt })
  assert.deepEqual(await expiryOf(third), expiresAt)
  await isOutAfter(third, () =>
    pool.query(`update exec_reservations set expires_at = now() where client_user = $1`, [
      third.clientUser,
    ]),
  )
})

test('so is a member of the team that gave the app away', async () => {
  const { app, owner, guest } = await aSharedApp()
  await inTransaction(pool, async (tx) => {
    const collaborator = await findCollaborator(tx, app.id, guest.account.email)
    assert.ok(collaborator)
    const team = await createTeam(tx, { name: `team-of-${app.name}`, admin: owner })
    await setMember(tx, { team: team.id, account: guest.account.id, role: 'member' })
    const account = { id: team.id, email: emailOfTeam(team.name) }
    await transferApp(tx, { app, to: account, by: owner, limits: HEROKU_LIMITS })
    await removeCollaborator(tx, app, { collaborator, by: owner })
  })
  await isOutAfter(guest, () => changeOwner(pool, app.id, owner.id))
})

test('so is everybody once the app has Heroku Exec off', async () => {
  const { app, owner, guest } = await aSharedApp()
  const off = { name: 'runtime-heroku-exec', enabled: false, account: owner }
  await isOutAfter(guest, () =>
    inTransaction(pool, (tx) => setAppFeature(tx, app, { ...off, now: new Date() })),
  )
})

test('no channel is opened for who was shut out a moment ago', async () => {
  const { app, guest } = await aSharedApp()
  const client = await guest.comes(await aServer({}))
  await pool.query('delete from collaborators where app = $1', [app.id])
  assert.match(await complaintOf(client), /you are not let in any more/)
  assert.deepEqual(await entriesOf(guest.dyno), [])
})

test('those who say nothing keep nobody out, and are hung up on in the end', async () => {
  const { guest } = await aSharedApp()
  const at = await aServer({ unknown: { most: 3, patience: 5 * SECOND } })
  const silent = Array.from({ length: 10 }, () => connect(at, '127.0.0.1'))
  for (const it of silent) it.on('error', () => {}).resume()
  await until('the first have made way', () => openOf(silent) === 3)
  const client = await guest.comes(at)
  await until('they are hung up on', () => openOf(silent) === 0)
  assert.equal(await outputOf(client, guest.dyno), 'hello')
  client.end()
})

test('one account has so many connections open, and then is told so; others come in', async () => {
  const { guest } = await aSharedApp()
  const other = (await aSharedApp()).guest
  const at = await aServer({ clients: { ofEach: 1, ofAll: 2 } })
  const first = await guest.comes(at)
  const second = await guest.comes(at)
  assert.match(await complaintOf(second), /^Not started: as many connections are open/)
  const others = await other.comes(at)
  assert.equal(await outputOf(others, other.dyno), 'hello')
  first.end()
  await once(first, 'close')
  await until('there is room', async () => {
    const again = await guest.comes(at)
    const room = (await entryOrComplaint(again, guest.dyno)) === 'entry'
    again.end()
    return room
  })
})

test('a client has so many channels open', async () => {
  const { guest } = await aSharedApp()
  const client = await guest.comes(await aServer({}))
  await Promise.all(Array.from({ length: 50 }, () => opened(client)))
  await assert.rejects(opened(client), /Channel open failure/)
})

function openOf(sockets: readonly Socket[]): number {
  return sockets.filter((it) => !it.closed && it.readyState !== 'closed').length
}

/** Resolves to its port. */
async function aServer(some: Partial<ExecServerDeps>): Promise<number> {
  const server = execServer(hostKey, {
    pool: asRole(pool, roleOf('rendezvous')),
    dynos: (region) => join(directory, region),
    log: silentLog,
    lookEvery: HOUR,
    ...some,
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function expiryOf({ clientUser }: Guest): Promise<unknown> {
  const { rows } = await pool.query<{ at: Date }>(
    'select expires_at as at from exec_reservations where client_user = $1',
    [clientUser],
  )
  return rows[0]?.at
}

interface Guest {
  readonly account: Account
  readonly authorization: AuthorizationId
  readonly dyno: DynoId
  readonly clientUser: string
  /** With the key that was noted. */
  comes(at?: number): Promise<Client>
  /** By another token. */
  again(token?: { readonly expiresAt?: Date }): Promise<Guest>
}

/** An app with a dyno that is up, and a collaborator who was let into that. */
async function aSharedApp(): Promise<{
  readonly app: App
  readonly owner: Account
  readonly guest: Guest
}> {
  const its = await anApp(pool)
  const { app, account: owner } = its
  await its.deploy()
  const formation = await its.formation('web')
  const dyno = await aRunningDyno(pool, { app, formation }, new Date())
  const account = await inTransaction(pool, async (tx) => {
    const email = `${newId()}@example.com`
    const guest = await createAccount(tx, { email, name: null })
    await addCollaborator(tx, { app, account: guest, permissions: [], by: owner })
    const wish = { name: 'runtime-heroku-exec', enabled: true, account: owner }
    await setAppFeature(tx, app, { ...wish, now: new Date() })
    return guest
  })
  return { app, owner, guest: await aGuest(app, dyno, account) }
}

async function aGuest(
  app: App,
  dyno: DynoId,
  account: Account,
  { expiresAt = null }: { readonly expiresAt?: Date | null } = {},
): Promise<Guest> {
  const pair = sshKeyPair()
  const authorization = newId<'authorization'>()
  const clientUser = await inTransaction(pool, async (tx) => {
    await ensureAuthorization(tx, {
      id: authorization,
      account: account.id,
      sha256: digestOf(newToken()),
      description: 'a test',
      expiresAt,
    })
    const its = { id: dyno, type: 'web', ordinal: 1, state: 'up' } as const
    const wish = { app, account, authorization, dyno: its, clientKey: pair.public }
    return reserveExec(tx, wish, secrets)
  })
  return {
    account,
    authorization,
    dyno,
    clientUser,
    async comes(at = port) {
      const client = new ssh2.Client()
      clients.add(client)
      client.connect({
        host: '127.0.0.1',
        port: at,
        username: clientUser,
        privateKey: pair.private,
      })
      await once(client, 'ready')
      client.on('error', () => {})
      return client
    },
    again: (token) => aGuest(app, dyno, account, token),
  }
}

/** With a process under way, and for good. */
async function isOutAfter(guest: Guest, change: () => Promise<unknown>): Promise<void> {
  const client = await guest.comes()
  const ended = once(client, 'close')
  const process = await aProcess(client, guest.dyno)
  const processEnded = once(process, 'close')
  await change()
  await ended
  await processEnded
  await assert.rejects(guest.comes(), /authentication methods failed/)
}

async function outputOf(client: Client, dyno: DynoId): Promise<string> {
  const { channel, ...process } = await aJoinedProcess(client, dyno)
  process.socket.end('hello')
  channel.end()
  return String(Buffer.concat((await channel.toArray()) as Buffer[]))
}

async function complaintOf(client: Client): Promise<string> {
  const channel = await opened(client)
  channel.resume()
  return Buffer.concat((await channel.stderr.toArray()) as Buffer[]).toString()
}

async function entryOrComplaint(client: Client, dyno: DynoId): Promise<string> {
  return Promise.race([
    complaintOf(client),
    until('it is asked for', async () => (await entriesOf(dyno)).length > 0).then(
      () => 'entry',
    ),
  ])
}

async function aProcess(client: Client, dyno: DynoId) {
  return (await aJoinedProcess(client, dyno)).socket
}

/** As the manager would start it. */
async function aJoinedProcess(client: Client, dyno: DynoId) {
  const [channel, [entry = '']] = await Promise.all([
    opened(client),
    until('it is asked for', async () => (await entriesOf(dyno)).length > 0).then(() =>
      entriesOf(dyno),
    ),
  ])
  const at = join(directory, 'us', dyno, entry)
  mkdirSync(at, { recursive: true })
  const listening = createServer().listen(join(at, 'stream.sock'))
  const [socket] = (await once(listening, 'connection')) as [Socket]
  listening.close()
  socket.on('error', () => {}).resume()
  await pool.query('delete from entries where id = $1', [entry])
  return { channel, socket }
}

function opened(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec('true', (error, channel) => (error ? reject(error) : resolve(channel)))
  })
}

async function entriesOf(dyno: DynoId): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    'select id from entries where dyno = $1',
    [dyno],
  )
  return rows.map((it) => it.id)
}
