/** Who may clone and push, and what else the git server's addresses answer; by the real git. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'

import { push } from '../../test/a-git-pack.ts'
import { aGitServer } from '../../test/a-git-server.ts'
import { aTree, git } from '../../test/a-git-tree.ts'
import { aDeployer, aToken } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { digestOf } from '../model/token.ts'

type Deployer = Awaited<ReturnType<typeof aDeployer>>

const pool = aDatabase()

// The database comes first: hooks of one level don't wait for one another.
suite('who may use git', () => {
  const server = aGitServer(pool)
  const { root, send } = server
  const by = (token: string) => server.url.replace(/:[^:@]+@/, `:${token}@`)

  test('who has no key is asked for one; who has a wrong one is refused', async () => {
    const { origin, pathname } = new URL(server.url)
    const asked = await fetch(`${origin}${pathname}/info/refs?service=git-receive-pack`)
    assert.equal(asked.status, 401)
    assert.match(asked.headers.get('www-authenticate') ?? '', /^Basic realm=/)
    const refused = await git(root, ['ls-remote', by('wrong')])
    assert.match(refused.said, /Authentication failed/)
  })

  test('a token that must not see config vars clones, and does not push', async () => {
    const { account } = server.made
    const plain = by(await aToken(pool, account, { scope: ['write'] }))
    const deployer = by(await aToken(pool, account, { scope: ['write-protected'] }))
    const work = await aTree(root, { Procfile: 'web: scoped\n' })
    assert.equal((await git(root, ['clone', plain, join(work, 'c')])).status, 0)
    const refused = await git(work, ['push', plain, 'main:scoped'])
    assert.notEqual(refused.status, 0)
    assert.match(refused.said, /403/)
    const pushed = await git(work, ['push', deployer, 'main:scoped'])
    assert.equal(pushed.status, 0, pushed.said)
  })

  test("neither what is no app, nor another's app, nor another path is served", async () => {
    const { app } = server.made
    for (const path of [
      'nosuch.git/info/refs?service=git-upload-pack',
      'another.git/info/refs?service=git-upload-pack',
      `${app.name}.git/config`,
      `${app.name}.git/info/refs`,
      `${app.name}.git/../${app.id}.git/HEAD`,
    ]) {
      const { status } = await send('GET', `/${path}`, {})
      assert.equal(status, 404, path)
    }
    const info = `/${app.name}.git/info/refs?service=git-upload-pack`
    assert.equal((await send('GET', info, {})).status, 200)
  })

  test('who may not deploy any more when all of a push is there is refused', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n' })
    const lateness: Readonly<Record<string, (deployer: Deployer) => Promise<unknown>>> = {
      'the token is revoked': ({ token }) =>
        pool.query('delete from authorizations where token_sha256 = $1', [
          digestOf(token),
        ]),
      'they are shut out': ({ id }) =>
        pool.query('delete from collaborators where account = $1', [id]),
      'nothing happens': async () => {},
    }
    for (const [what, happens] of Object.entries(lateness)) {
      const deployer = await aDeployer(pool, server.made.app)
      const branch = what.replaceAll(' ', '-')
      const said = await pushSlowly(work, branch, deployer, happens)
      const refused = 'You may not deploy this app any more.'
      if (what === 'nothing happens') assert.match(said, /unpack ok\n.*ok refs/)
      else assert.ok(said.includes(refused), `${what}: ${said}`)
    }
  })

  /** What a push of `main` to a new branch is answered, where something `happens` half-way. */
  async function pushSlowly(
    work: string,
    branch: string,
    deployer: Deployer,
    happens: (deployer: Deployer) => Promise<unknown>,
  ): Promise<string> {
    const head = (await git(work, ['rev-parse', 'main'])).said.trim()
    const packing = ['pack-objects', '--revs', '--stdout', '-q']
    const pack = execFileSync('git', packing, { cwd: work, input: 'main\n' })
    const body = push(pack, head, `refs/heads/${branch}`)
    const { origin, pathname } = new URL(server.url)
    const pushing = request(`${origin}${pathname}/git-receive-pack`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`:${deployer.token}`).toString('base64')}`,
        'content-type': 'application/x-git-receive-pack-request',
      },
    })
    const answered = once(pushing, 'response') as Promise<[IncomingMessage]>
    const rest = pack.length - 20
    pushing.write(body.subarray(0, -rest))
    await until('it is let in', async () => {
      const { rows } = await pool.query('select from audit where account = $1', [
        deployer.id,
      ])
      return rows.length > 0
    })
    await happens(deployer)
    pushing.end(body.subarray(-rest))
    return text((await answered)[0])
  }
})
