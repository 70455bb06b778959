/** Clients over real sockets, with a real database; the test plays the front door and the process. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { type AnApp, anApp, secrets } from '../../test/an-app.ts'
import { aRunningDyno } from '../../test/a-running-dyno.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { createAccount } from '../actions/create-account.ts'
import { enterDyno } from '../actions/enter-dyno.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { HOUR, pause } from '../lib/clock.ts'
import { frame, framesIn } from '../lib/frames.ts'
import { silentLog } from '../lib/log.ts'
import type { Account } from '../model/app.ts'
import { type AccountId, type AppId, type DynoId, newId } from '../model/ids.ts'
import { digestOf, newToken } from '../model/token.ts'
import {
  type AuthorizationId,
  ensureAuthorization,
  removeAuthorization,
  rotateAuthorization,
  type UsedToken,
} from '../store/accounts.ts'
import { changeOwner } from '../store/apps.ts'
import { inTransaction } from '../store/queryable.ts'
import { detachAllClients } from '../store/rendezvous.ts'
import { rendezvousServer } from './rendezvous-server.ts'

const MARKER = '\uFFFF heroku-command-exit-status: 0'
const pool = aDatabase()
// Short: a socket's path may have 107 bytes.
const directory = mkdtempSync('/tmp/r-')
const ended = new AbortController()
let idle: number | undefined
const server = rendezvousServer({
  pool,
  dynos: (region) => join(directory, region),
  log: silentLog,
  signal: ended.signal,
  probeEvery: 20,
  lookEvery: 20,
  get idle() {
    return idle ?? HOUR
  },
})
const socketPath = join(directory, 'tcp.sock')
let its: AnApp | undefined

before(async () => {
  server.listen(socketPath)
  await once(server, 'listening')
})

after(() => {
  ended.abort()
  server.close()
  rmSync(directory, { recursive: true })
})

test('a client is joined with its process, which is started because it came', async () => {
  const { dyno, secret } = await promised()
  const client = aClient(secret)
  assert.equal(await client.next(), 'rendezvous\r\n')
  assert.ok(await wokenFor(dyno))
  client.say('early ')

  const process = await aProcess(dyno)
  client.say('input\u0004')
  client.say('\u0004')
  assert.equal(await allOf(process), 'early input\u0004')
  process.end('output')
  assert.equal(await client.rest(), 'output')
  await until('it is said that the client is gone', () => isDetached(dyno))
})

test('the exit status arrives in one piece, and by itself', async () => {
  const { dyno, secret } = await promised()
  const client = aClient(secret)
  const process = await aProcess(dyno)
  process.write(`a\n${MARKER.slice(0, 9)}`)
  assert.equal(await client.next(), 'rendezvous\r\n')
  assert.equal(await client.next(), 'a\n')
  process.end(`${MARKER.slice(9)}\n`)
  assert.equal(await client.next(), MARKER)
  assert.equal(await client.rest(), '\n')
})

test('a terminal is told of the end of input as of any key', async () => {
  const { dyno, secret } = await promised({ columns: 80, rows: 24 })
  const client = aClient(secret)
  const process = await aProcess(dyno)
  client.say('\u0004')
  const [bytes] = (await once(process, 'data')) as [Buffer]
  assert.equal(bytes.toString(), '\u0004')
  process.end()
  await client.rest()
})

test('a client that leaves is told of, even before its process has begun', async () => {
  const [one, other] = [await promised(), await promised()]
  const early = aClient(one.secret)
  await early.next()
  early.leave()
  await until('it is said that the client is gone', () => isDetached(one.dyno))

  const client = aClient(other.secret)
  const process = await aProcess(other.dyno)
  client.leave()
  await until('it is said that the client is gone', () => isDetached(other.dyno))
  assert.equal(await allOf(process), '')
})

test('a client that leaves is told of though its process takes no input', async () => {
  const { dyno, secret } = await promised()
  const client = aClient(secret)
  const process = await aProcess(dyno)
  for (let at = 0; at < 500; at++) client.say('x'.repeat(16_000))
  await client.next()
  client.leave()
  await until('it is said that the client is gone', () => isDetached(dyno))
  process.destroy()
})

test('a session in which nothing is said for long is ended', async () => {
  const { dyno, secret } = await promised()
  idle = 50
  const client = aClient(secret)
  await aProcess(dyno)
  assert.match(await client.rest(), /^rendezvous\r\n\r\nNothing was said for 60 minutes/)
  idle = undefined
  await until('it is said that the client is gone', () => isDetached(dyno))
})

test('so is one whose client takes nothing any more', async () => {
  const { dyno, secret } = await promised()
  idle = 500
  const client = aClient(secret)
  const process = await aProcess(dyno)
  process.on('error', () => {}).write('x'.repeat(16_000_000))
  try {
    await until('it is said that the client is gone', () => isDetached(dyno))
  } finally {
    idle = undefined
    client.leave()
  }
})

test('only one client is admitted, and none with a wrong secret', async () => {
  const { dyno, secret } = await promised()
  const first = aClient(secret)
  await first.next()
  for (const wrong of [secret, 'a'.repeat(48), '', 'a b', 'a'.repeat(5000)]) {
    const client = aClient(wrong)
    assert.match(await client.rest(), /^rendezvous\r\nThis session is over/)
  }
  assert.ok(!(await isDetached(dyno)))
  first.leave()
  await until('it is said that the client is gone', () => isDetached(dyno))
})

test('a client whose dyno does not start is told so', async () => {
  const { dyno, secret } = await promised()
  const client = aClient(secret)
  await client.next()
  await pool.query(`update dynos set state = 'down' where id = $1`, [dyno])
  assert.match(await client.rest(), /^The dyno could not be started/)
})

test('those whose connections died with our predecessor are gone', async () => {
  const { dyno, secret } = await promised()
  const client = aClient(secret)
  await client.next()
  await pool.query('delete from work')
  await inTransaction(pool, detachAllClients)
  assert.ok((await isDetached(dyno)) && (await wokenFor(dyno)))
  client.leave()
})

for (const [what, loses] of [
  ['is revoked', (it: Token) => removeAuthorization(pool, it.account, it.id)],
  [
    'gets another key',
    (it: Token) =>
      inTransaction(pool, (tx) => rotateAuthorization(tx, it.id, digestOf(newToken()))),
  ],
  [
    'is of somebody who is shut out',
    async (it: Token) => changeOwner(pool, it.app, (await aStranger()).id),
  ],
] as const) {
  test(`a client is hung up on whose token ${what}, of a one-off and inside a dyno`, async () => {
    const made = await anApp(pool)
    await made.deploy()
    const token = await aToken(made)
    const inside = await aRunningDyno(
      pool,
      { app: made.app, formation: await made.formation('web') },
      new Date(),
    )
    const by = { made, token: { authorization: token.id, rotations: 0 } }
    const [oneOff, entry] = [await promised(null, by), await promisedInside(inside, by)]
    const late = await promised(null, by)
    const clients = [aClient(oneOff.secret), aClient(entry.secret)]
    const processes = [await aProcess(oneOff.dyno), await aProcess(inside, entry.id)]
    // Looked at more than once meanwhile.
    await pause(100)
    for (const [index, process] of processes.entries()) {
      process.write('still here')
      assert.equal(await clients[index]?.next(), 'rendezvous\r\n')
      assert.equal(await clients[index]?.next(), 'still here')
    }
    const ends = processes.map((process) => once(process.resume(), 'end'))
    await loses(token)
    for (const client of clients) {
      assert.match(await client.rest(), /You are not let in any more/)
    }
    await Promise.all(ends)
    for (const process of processes) process.destroy()
    await until('it is said that the client is gone', () => isDetached(oneOff.dyno))
    assert.match(await aClient(late.secret).rest(), /session is over, or never was/)
    assert.ok(!(await wokenFor(late.dyno)))
  })
}

test('a token that is just being rotated lets nobody in any more, its new key does', async () => {
  const made = await anApp(pool)
  await made.deploy()
  const { id: authorization } = await aToken(made)
  const asked = (rotations: number) =>
    promised(null, { made, token: { authorization, rotations } })
  // It was let through before, and written down after the rotation began.
  const { dyno, secret } = await inTransaction(pool, async (tx) => {
    await tx.query('select now()')
    const it = await asked(0)
    await rotateAuthorization(tx, authorization, digestOf(newToken()))
    return it
  })
  const late = aClient(secret)
  await late.next()
  assert.ok(!(await wokenFor(dyno)))
  assert.match(await late.rest(), /session is over, or never was/)

  const anew = await asked(1)
  const client = aClient(anew.secret)
  const process = await aProcess(anew.dyno)
  await client.next()
  process.end('still here')
  assert.equal(await client.rest(), 'still here')
})

interface By {
  readonly made: AnApp
  readonly token: UsedToken
}

async function promised(
  terminal: { columns: number; rows: number } | null = null,
  by?: By,
): Promise<{ readonly dyno: DynoId; readonly secret: string }> {
  const { app, account } = by?.made ?? its ?? (await aDeployedApp())
  const wish = {
    app: app.id,
    account,
    ...(by && { token: by.token }),
    command: 'cat',
    attach: { terminal },
    environment: {},
    size: undefined,
    type: undefined,
    timeToLive: undefined,
  }
  const { dyno, secret = '' } = await inTransaction(pool, (tx) =>
    runDyno(tx, wish, { secrets }),
  )
  await pool.query('delete from work')
  return { dyno: dyno.id, secret }
}

async function promisedInside(
  id: DynoId,
  { made, token }: By,
): Promise<{ readonly id: string; readonly secret: string }> {
  const dyno = { id, type: 'web', ordinal: 1, state: 'up', region: 'us' } as const
  const { app, account } = made
  const process = { command: 'cat', environment: {}, terminal: undefined }
  const wish = { app: app.id, account, token, dyno, ...process }
  const secret = await inTransaction(pool, (tx) => enterDyno(tx, wish, secrets))
  const { rows } = await pool.query<{ id: string }>(
    'select id from entries where dyno = $1',
    [id],
  )
  return { id: rows[0]?.id ?? '', secret }
}

interface Token {
  readonly id: AuthorizationId
  readonly account: AccountId
  readonly app: AppId
}

async function aToken({ app, account }: AnApp): Promise<Token> {
  const id = newId<'authorization'>()
  const sha256 = digestOf(newToken())
  const wish = { id, account: account.id, sha256, description: 'a test' }
  await ensureAuthorization(pool, wish)
  return { id, account: account.id, app: app.id }
}

async function aStranger(): Promise<Account> {
  return createAccount(pool, { email: `${newId<'account'>()}@example.com`, name: null })
}

async function aDeployedApp(): Promise<AnApp> {
  its = await anApp(pool)
  await its.deploy()
  return its
}

/** As the front door passes one on. */
function aClient(secret: string) {
  const socket = connect(socketPath)
  socket.on('error', () => {})
  const records = framesIn(socket)
  const say = (text: string) => void socket.write(frame(Buffer.from(text)))
  say(`${secret}\r\n`)
  return {
    say,
    next: async () => String((await records.next()).value),
    leave: () => void socket.destroy(),
    async rest() {
      let text = ''
      for await (const record of records) text += record.toString()
      return text
    },
  }
}

/** The process of a dyno, once its client has connected to it. */
async function aProcess(dyno: DynoId, entry = ''): Promise<Socket> {
  const at = join(directory, 'us', dyno, entry)
  mkdirSync(at, { recursive: true })
  const process = createServer({ allowHalfOpen: true })
  process.listen(join(at, 'stream.sock'))
  const [socket] = (await once(process, 'connection')) as [Socket]
  process.close()
  return socket
}

/** Its own side stays open. */
async function allOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  if (!socket.readableEnded) await once(socket, 'end')
  return text
}

async function isDetached(dyno: DynoId): Promise<boolean> {
  const { rows } = await pool.query(
    'select 1 from one_offs where dyno = $1 and detached_at is not null',
    [dyno],
  )
  return rows.length === 1
}

async function wokenFor(dyno: DynoId): Promise<boolean> {
  const { rows } = await pool.query(
    `select 1 from work where kind = 'one-off' and subject = $1 and region = 'us'`,
    [dyno],
  )
  return rows.length === 1
}
