/** The genuine CLI as two people who share apps, and the real API. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'

import { openAccount } from '../src/actions/open-account.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { anApi } from './an-api.ts'
import { envOfCli } from './env-of-cli.ts'
import { aDatabase } from './postgres.ts'

const cli = join(import.meta.dirname, '../node_modules/.bin/heroku')
const run = promisify(execFile)

const pool = aDatabase()
const home = mkdtempSync(join(tmpdir(), 'mayfly-cli-'))
let end: () => Promise<void>
let ann: NodeJS.ProcessEnv
let bob: NodeJS.ProcessEnv

/** What it said, its progress included. */
async function heroku(env: NodeJS.ProcessEnv, command: string): Promise<string> {
  const { stdout, stderr } = await run(cli, command.split(' '), { env })
  return stdout + stderr
}

async function stdoutOf(env: NodeJS.ProcessEnv, command: string): Promise<string> {
  return (await run(cli, command.split(' '), { env })).stdout
}

async function refused(env: NodeJS.ProcessEnv, command: string): Promise<string> {
  const error: unknown = await heroku(env, command).catch((reason: unknown) => reason)
  assert.ok(error instanceof Error && 'stderr' in error, `${command} was not refused`)
  return String(error.stderr)
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** What the CLI does not have to be asked for: it shows every refusal alike. */
async function ask(env: NodeJS.ProcessEnv, what: string, body?: object): Promise<Answer> {
  const [method = '', path = ''] = what.split(' ')
  const answer = await fetch(`${env['HEROKU_HOST']}${path}`, {
    method,
    headers: {
      accept: 'application/vnd.heroku+json; version=3',
      authorization: `Bearer ${env['HEROKU_API_KEY']}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.text() }
}

async function done(
  env: NodeJS.ProcessEnv,
  what: string,
  body?: object,
): Promise<string> {
  const answer = await ask(env, what, body)
  assert.ok(answer.status < 300, `${what}: ${answer.status} ${answer.body}`)
  return answer.body
}

async function isNotFound(env: NodeJS.ProcessEnv, what: string): Promise<void> {
  const answer = await ask(env, what)
  assert.equal(answer.status, 404)
  assert.match(answer.body, /Couldn't find that app/)
}

suite('access by the CLI', () => {
  before(async () => {
    const { server } = await anApi(pool)
    await server.listen({ port: 0, host: '127.0.0.1' })
    const { port } = server.server.address() as AddressInfo
    const person = async (email: string) => ({
      ...envOfCli,
      HOME: home,
      HEROKU_HOST: `http://127.0.0.1:${port}`,
      HEROKU_PARTICLEBOARD_URL: `http://127.0.0.1:${port}`,
      HEROKU_API_KEY: await inTransaction(pool, (tx) =>
        openAccount(tx, { email, name: null }),
      ),
      HEROKU_NETRC_WRITE: 'true',
    })
    ann = await person('ann@example.com')
    bob = await person('bob@example.com')
    end = () => server.close()
    await heroku(ann, 'create shared-app --no-remote')
  })
  after(async () => {
    await end()
    rmSync(home, { recursive: true })
  })

  test('each is who they are', async () => {
    assert.match(await heroku(bob, 'auth:whoami'), /bob@example\.com/)
    assert.equal((await stdoutOf(bob, 'auth:token')).trim(), bob['HEROKU_API_KEY'])
    assert.match(
      await heroku(bob, 'auth:2fa'),
      /Two-factor authentication is not enabled/,
    )
  })

  test('access:add lets in, access:remove and apps:leave shut out', async () => {
    await isNotFound(bob, 'GET /apps/shared-app')
    await heroku(ann, 'access:add bob@example.com -a shared-app')
    assert.match(
      await heroku(ann, 'access -a shared-app'),
      /ann@example\.com +owner[^]*bob@example\.com +collaborator/,
    )
    assert.match(await heroku(bob, 'apps --all'), /shared-app +ann@example\.com/)
    await done(bob, 'PATCH /apps/shared-app/config-vars', { A: 'b' })
    assert.match(
      await refused(bob, 'apps:destroy -a shared-app -c shared-app'),
      /You do not have the manage permission/,
    )
    const taken = await ask(bob, 'POST /apps', { name: 'shared-app' })
    assert.match(taken.body, /already taken/)
    await heroku(bob, 'apps:leave -a shared-app')
    await isNotFound(bob, 'GET /apps/shared-app')
    await done(ann, 'POST /apps/shared-app/collaborators', { user: 'bob@example.com' })
    await heroku(ann, 'access:remove bob@example.com -a shared-app')
    assert.match(await refused(bob, 'ps -a shared-app'), /Couldn't find that app/)
  })

  test('authorizations are made, told, changed, rotated and revoked', async () => {
    const made = await stdoutOf(
      bob,
      'authorizations:create -d one -s read,write --expires-in 3600 --json',
    )
    const one = JSON.parse(made) as { id: string; access_token: { token: string } }
    const asOne = { ...bob, HEROKU_API_KEY: one.access_token.token }
    assert.match(await done(asOne, 'GET /account'), /bob@example\.com/)
    const beyond = await ask(asOne, 'GET /oauth/authorizations')
    assert.equal(beyond.status, 403)
    assert.match(beyond.body, /scope does not allow/)
    assert.match(await heroku(bob, 'authorizations'), /one +[0-9a-f-]{36} +read,write/)
    assert.match(await heroku(bob, `authorizations:info ${one.id}`), /Scope: +read,write/)
    assert.match(await heroku(bob, `authorizations:update ${one.id} -d two`), /two/)
    assert.match(
      await heroku(bob, `authorizations:rotate ${one.id}`),
      /Token: +[0-9a-f]{64}/,
    )
    assert.equal((await ask(asOne, 'GET /account')).status, 401)
    assert.match(await heroku(bob, `authorizations:revoke ${one.id}`), /done, revoked/)
  })

  test('a login’s token ends with auth:logout', async () => {
    const made = await stdoutOf(bob, 'authorizations:create -e 3600 --short')
    const login = { ...bob, HEROKU_API_KEY: made.trim() }
    await heroku(login, 'auth:logout')
    assert.match(
      await refused(login, 'auth:whoami'),
      /Invalid credentials|not logged in/i,
    )
    await heroku(bob, 'auth:logout')
    assert.match(await done(bob, 'GET /account'), /bob@example\.com/)
  })

  test('a team: its members, its apps, and who may do what to them', async () => {
    await done(ann, 'POST /teams', { name: 'crew' })
    assert.match(await heroku(ann, 'teams'), /crew +admin/)
    await heroku(ann, 'members:add bob@example.com -t crew -r collaborator')
    await heroku(ann, 'create crew-app --team crew --no-remote')
    assert.match(await heroku(ann, 'apps --team crew'), /crew-app/)
    await isNotFound(bob, 'GET /apps/crew-app')
    await heroku(ann, 'access:add bob@example.com -a crew-app -p deploy')
    assert.match(
      await heroku(ann, 'access -a crew-app'),
      /bob@example\.com +collaborator +deploy, view/,
    )
    const maintenance = ['PATCH /apps/crew-app', { maintenance: true }] as const
    assert.match((await ask(bob, ...maintenance)).body, /the operate permission/)
    await heroku(ann, 'access:update bob@example.com -a crew-app -p deploy,operate')
    await done(bob, ...maintenance)

    await heroku(ann, 'members:set bob@example.com -t crew -r member')
    assert.match(await heroku(bob, 'members -t crew'), /bob@example\.com +member/)
    await heroku(ann, 'apps:lock -a crew-app')
    await heroku(ann, 'apps:unlock -a crew-app')
    await heroku(ann, 'apps:transfer crew -a shared-app')
    assert.match(await done(bob, 'GET /teams/crew/apps'), /shared-app/)
    await heroku(bob, 'apps:join -a shared-app')
    await heroku(ann, 'apps:transfer ann@example.com -a shared-app --confirm shared-app')
    await isNotFound(bob, 'GET /apps/shared-app')
    await heroku(ann, 'members:remove bob@example.com -t crew')
    await isNotFound(bob, 'GET /apps/crew-app')
  })

  test('apps:transfer offers an app to somebody else', async () => {
    const said = await heroku(ann, 'apps:transfer bob@example.com -a shared-app')
    assert.match(
      said,
      /Initiating transfer of .*shared-app.* to bob@example\.com\.\.\. email sent/,
    )
  })
})
