/** Whoever holds the body of a request back, over real sockets. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, suite, test } from 'node:test'

import { type AnApi, anApi, type Json } from '../../test/an-api.ts'
import { aTenancy, aToken, type Caller, type Tenancy } from '../../test/a-tenancy.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { wholeServer } from '../../test/whole-server.ts'
import { HOUR, later, SECOND } from '../lib/clock.ts'
import type { AppId, TeamId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import { findAudit } from '../store/audit.ts'
import { collaboratorsOf } from '../store/collaborators.ts'
import { inTransaction } from '../store/queryable.ts'
import { membersOf } from '../store/teams.ts'

const pool = aDatabase()
let now = new Date()
const clock = { now: () => now }
let patient: AnApi
let impatient: AnApi
let tenancy: Tenancy
let letIn = 0

/** Notes that a request has come as far as its body. */
const noticing = wholeServer(async (server) => {
  server.addHook('preParsing', async () => void (letIn += 1))
})

suite('a body that is held back', { concurrency: false }, () => {
  before(async () => {
    patient = await anApi(pool, { clock, before: [noticing] })
    impatient = await anApi(pool, { clock, bodyPatience: 0.3 * SECOND })
    tenancy = await aTenancy(pool)
    for (const { server } of [patient, impatient]) {
      await server.listen({ port: 0, host: '127.0.0.1' })
    }
  })

  after(() => Promise.all([patient, impatient].map(({ server }) => server.close())))

  test('changes the app that it was let into, not the one that has its name by then', async () => {
    const held = await hold('POST /apps/personal-app/collaborators', 'owner')
    const { mine, theirs } = await changeHands('personal-app')
    assert.match(await held.finish({ user: 'member@example.com' }), /^HTTP\/1.1 201/)
    assert.deepEqual(await collaboratorsOf(pool, theirs), [])
    assert.equal((await collaboratorsOf(pool, mine)).length, 2)
    const entry = (await findAudit(pool, { app: mine, most: 1 })).at(-1)
    assert.equal(entry?.nouns['app'], 'personal-app')
  })

  test('enters no dyno of the app that has the name by then', async () => {
    await as('owner', 'POST /apps', { name: 'entered' })
    const theirs = await anApp(pool)
    await theirs.deploy({ web: 'serve' })
    const dyno = (
      await patient.call(`POST /apps/${theirs.app.name}/dynos`, { command: 'env' })
    ).body
    const held = await hold(`PUT /api/v2/${dyno.id}`, 'owner', 'entered')
    await as('owner', 'PATCH /apps/entered', { name: 'left' })
    await patient.call(`PATCH /apps/${theirs.app.name}`, { name: 'entered' })
    assert.match(await held.finish({ client_key: 'x' }), /^HTTP\/1.1 404[^]*that dyno/)
  })

  test('changes the team that it was let into', async () => {
    const mine = await as('team admin', 'POST /teams', { name: 'crew' })
    const held = await hold('POST /teams/crew/members', 'team admin')
    await as('team admin', 'DELETE /teams/crew')
    const theirs = await as('another tenant', 'POST /teams', { name: 'crew' })
    const answer = await held.finish({ email: 'member@example.com', role: 'admin' })
    assert.match(answer, /^HTTP\/1.1 404/)
    assert.equal((await membersOf(pool, String(theirs.id) as TeamId)).length, 1)
    assert.equal((await membersOf(pool, String(mine.id) as TeamId)).length, 0)
  })

  for (const [name, passed] of [
    ['revoked', 2 * SECOND],
    ['revoked-as-clocks-went-back', -HOUR],
  ] as const) {
    test(`is refused when its token was ${name.replaceAll('-', ' ')}`, async () => {
      const { id } = await as('owner', 'POST /apps', { name })
      const token = await inTransaction(pool, (tx) => aToken(tx, tenancy.accounts.owner))
      const held = await holdAs(token, `POST /apps/${name}/domains`)
      await pool.query('delete from authorizations where token_sha256 = $1', [
        digestOf(token),
      ])
      now = later(now, passed)
      assert.match(await held.finish({ hostname: 'a.example.com' }), /^HTTP\/1.1 401/)
      const { rows } = await pool.query('select from domains where app = $1', [id])
      assert.equal(rows.length, 0)
    })
  }

  test('is refused when its sender was shut out meanwhile', async () => {
    await as('owner', 'POST /apps', { name: 'shut' })
    const user = 'collaborator@example.com'
    await as('owner', 'POST /apps/shut/collaborators', { user })
    const held = await hold('POST /apps/shut/dynos', 'collaborator')
    await as('owner', `DELETE /apps/shut/collaborators/${user}`)
    now = later(now, 2 * SECOND)
    assert.match(await held.finish({ command: 'env' }), /^HTTP\/1.1 404/)
  })

  test('is good where nothing changed meanwhile', async () => {
    await as('owner', 'POST /apps', { name: 'same' })
    const held = await hold('POST /apps/same/domains', 'owner')
    now = later(now, 2 * SECOND)
    const answer = await held.finish({ hostname: 'a.example.com', sni_endpoint: null })
    assert.match(answer, /^HTTP\/1.1 201/)
  })

  test('for ever is refused, and hung up on', async () => {
    const socket = await begin(impatient, 'POST /apps', tenancy.tokens.owner)
    const trickling = setInterval(() => socket.write('1\r\n \r\n'), 20)
    const answer = await textOf(socket)
    clearInterval(trickling)
    assert.match(answer, /^HTTP\/1.1 408[^]*"id":"request_timeout"/)
  })

  test('for ever after it was refused is hung up on', async () => {
    const socket = await begin(impatient, 'POST /apps', 'x')
    const answer = await textOf(socket)
    assert.match(answer, /^HTTP\/1.1 401/)
    assert.doesNotMatch(answer, /request_timeout/)
  })
})

/** Calls the owner's app otherwise, and gives its name to one of another tenant's. */
async function changeHands(name: string): Promise<{ mine: AppId; theirs: AppId }> {
  const mine = await as('owner', `PATCH /apps/${name}`, { name: `${name}-of-before` })
  const theirs = await as('another tenant', 'POST /apps', { name })
  return { mine: idOf(mine), theirs: idOf(theirs) }
}

function idOf({ id }: Json): AppId {
  return String(id) as AppId
}

async function as(caller: Caller, request: string, body?: object): Promise<Json> {
  const authorization = `Bearer ${tenancy.tokens[caller]}`
  const answer = await patient.call(request, body, { authorization })
  assert.ok(answer.status < 300, JSON.stringify(answer.body))
  return answer.body
}

interface Held {
  /** Sends the body, and returns the answer. */
  finish(body: object): Promise<string>
}

/** Sends all of a request but its body, and waits until it has been let in. */
async function hold(request: string, caller: Caller, user?: string): Promise<Held> {
  return holdAs(tenancy.tokens[caller], request, user)
}

async function holdAs(
  token: string | undefined,
  request: string,
  user?: string,
): Promise<Held> {
  const others = letIn
  const socket = await begin(patient, request, token, user)
  await until('the request is let in', () => letIn > others)
  return {
    finish(body) {
      const text = JSON.stringify(body)
      socket.write(`${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`)
      return textOf(socket)
    },
  }
}

async function begin(
  { server }: AnApi,
  request: string,
  token = '',
  user = '',
): Promise<Socket> {
  const { port } = server.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = [
    `${request} HTTP/1.1`,
    'Host: localhost',
    'Accept: application/vnd.heroku+json; version=3',
    `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return socket
}

async function textOf(socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}
