/**
 * The git server over real repositories, one of which is an app's that the caller may push to; asked by
 * whatever bytes a test likes.
 */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { type Agent, globalAgent, type OutgoingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'

import type { Pool } from 'pg'

import { repositoryName } from '../src/builds/git-repository.ts'
import { gitServer, type GitServerDeps } from '../src/builds/git-server.ts'
import { dataDirectory } from '../src/installation/data-directory.ts'
import { SECOND, systemClock } from '../src/lib/clock.ts'
import { newId } from '../src/model/ids.ts'
import { digestOf } from '../src/model/token.ts'
import { ensureAuthorization } from '../src/store/accounts.ts'
import { aTree, git } from './a-git-tree.ts'
import { anApp } from './an-app.ts'

const DEADLINE = 20 * SECOND
const TOKEN = 'the-api-key'
const repository = join(import.meta.dirname, '..')

export interface GitAnswer {
  readonly status: number
  readonly body: string
  /** The port of ours that the connection is from. */
  readonly from: number | undefined
}

/** It listens before the first test of the suite that it is called in, and is gone after the last. */
export function aGitServer(
  pool: Pool,
  but: Pick<GitServerDeps, 'repositoryLimit' | 'turnLimits'> = {},
) {
  const root = mkdtempSync(join(tmpdir(), 'mayfly-git-'))
  const data = dataDirectory(root)
  const failures: string[] = []
  const server = gitServer({
    clock: systemClock,
    pool,
    requestsPerHour: 1e9,
    ...but,
    data,
    log: {
      info() {},
      error: (message, error) => failures.push(`${message}: ${String(error)}`),
    },
    hooks: join(repository, 'bin/git-hooks'),
    hookEnvironment: {
      MAYFLY_DATA: root,
      MAYFLY_NODE: process.execPath,
      MAYFLY_PRE_RECEIVE: join(repository, 'bin/pre-receive.ts'),
      DATABASE_URL: `postgresql:///${pool.options.database}`,
      PGHOST: process.env['PGHOST'] ?? '',
      PGUSER: process.env['PGUSER'] ?? '',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    },
  })
  let made: Awaited<ReturnType<typeof anApp>>
  let app = ''
  let own = ''
  let others = ''
  /** Of another's repository, which nothing here may change. */
  let theirRefs = ''
  let port = 0

  /** The path goes out as it is, whatever is in it. */
  function send(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body: Buffer = Buffer.alloc(0),
    agent: Agent = globalAgent,
  ): Promise<GitAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          port,
          method,
          path,
          timeout: DEADLINE,
          agent,
          headers: {
            authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`,
            ...(method === 'POST' &&
              !headers['transfer-encoding'] && { 'content-length': String(body.length) }),
            ...headers,
          },
        },
        (response) => {
          const from = response.socket.localPort
          let text = ''
          response.setEncoding('latin1').on('data', (piece: string) => (text += piece))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body: text,
              from,
            }),
          )
          response.on('error', reject)
        },
      )
      asked.on('timeout', () =>
        asked.destroy(new Error(`no answer to ${method} ${path}`)),
      )
      asked.on('error', reject)
      asked.end(method === 'POST' ? body : undefined)
    })
  }

  const receive = (body: Buffer, headers: OutgoingHttpHeaders = {}, agent?: Agent) =>
    send(
      'POST',
      `/${app}.git/git-receive-pack`,
      { 'content-type': 'application/x-git-receive-pack-request', ...headers },
      body,
      agent,
    )

  /** The repository is, and nothing was our fault. */
  async function isSound(): Promise<void> {
    const check = await git(own, ['fsck', '--full'])
    assert.equal(check.status, 0, check.said)
    assert.deepEqual(failures, [])
  }

  async function aBare(path: string): Promise<string> {
    await git(root, ['init', '--quiet', '--bare', '--initial-branch=main', path])
    return path
  }

  before(async () => {
    for (const directory of [data.sources, data.repos, data.run('git')]) {
      await mkdir(directory, { recursive: true })
    }
    const mine = (made = await anApp(pool))
    const theirs = newId<'app'>()
    await pool.query(
      `with o as (insert into accounts (id, email) values ($1, 'other@example.com'))
       insert into apps (id, name, region, owner, stack)
       values ($1, 'another', 'us', $1, 'debian-12')`,
      [theirs],
    )
    app = mine.app.name
    own = join(data.repos, repositoryName(mine.app.id))
    others = join(data.repos, repositoryName(theirs))
    await git(await aTree(root, { a: 'theirs\n' }), ['push', await aBare(others), 'main'])
    theirRefs = (await git(others, ['show-ref'])).said
    assert.match(theirRefs, /refs\/heads\/main/)
    await ensureAuthorization(pool, {
      id: newId(),
      account: mine.account.id,
      sha256: digestOf(TOKEN),
      description: 'test',
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })

  after(async () => {
    await new Promise((resolve) => server.close(resolve))
    await rm(root, { recursive: true })
  })

  return {
    root,
    data,
    failures,
    /** The app, and the account of who may push to it. */
    get made() {
      return made
    },
    /** The app's name. */
    get app() {
      return app
    },
    /** Its repository. */
    get own() {
      return own
    },
    /** That of another app, which nobody here may push to. */
    get others() {
      return others
    },
    /** Of the app's repository, for who may push to it. */
    get url() {
      return `http://x:${TOKEN}@127.0.0.1:${port}/${app}.git`
    },
    send,
    receive,
    isSound,
    /** Nothing of what was sent is left behind, and nothing of others changed. */
    async isAsBefore(): Promise<void> {
      const left = readdirSync(join(own, 'objects')).filter((it) => it.startsWith('tmp_'))
      assert.deepEqual(left, [])
      assert.ok(statSync(own).isDirectory())
      assert.deepEqual(readdirSync(data.sources), [])
      assert.equal((await git(others, ['show-ref'])).said, theirRefs)
      assert.equal((await git(others, ['fsck', '--full'])).status, 0)
    },
  }
}
