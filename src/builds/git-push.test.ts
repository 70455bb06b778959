/** Real pushes and clones, by the real git, over a socket, through the real hook. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'

import { buildDeps } from '../../test/a-build.ts'
import { entry, pushOf, TEXT, text } from '../../test/a-git-pack.ts'
import { aTree, commit, git } from '../../test/a-git-tree.ts'
import { aDeployer } from '../../test/a-tenancy.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { ScriptedRuntime } from '../../test/scripted-runtime.ts'
import { until } from '../../test/until.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { App } from '../model/app.ts'
import type { DynoSpec } from '../runtime/runtime.ts'
import { newId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import { ensureAuthorization } from '../store/accounts.ts'
import { runLoop } from '../work/loop.ts'
import { gitServer, type GitServerDeps } from './git-server.ts'
import { lookAfterBuild } from './look-after-build.ts'

const TOKEN = 'the-api-key'
const repository = join(import.meta.dirname, '../..')
const pool = aDatabase()
const root = mkdtempSync(join(tmpdir(), 'mayfly-git-'))
const data = dataDirectory(root)
let ended = new AbortController()
const runtime = new ScriptedRuntime()
const startDyno = runtime.start.bind(runtime)
runtime.start = async (spec) => {
  await startDyno(spec)
  await dyno(spec)
}
/** What build dynos do. */
let dyno: (spec: DynoSpec) => Promise<void> = succeeds
/** What the last one was given. */
let pushed: string[] = []
let app: App
let url = ''
let manager: Promise<void>

// The part that bin/git.ts is, but for the private cluster, which tests have not.
const deps = {
  pool,
  data,
  log: silentLog,
  clock: systemClock,
  hooks: join(repository, 'bin/git-hooks'),
  hookEnvironment: {
    MAYFLY_DATA: root,
    MAYFLY_NODE: process.execPath,
    MAYFLY_PRE_RECEIVE: join(repository, 'bin/pre-receive.ts'),
    DATABASE_URL: `postgresql:///${pool.options.database}?application_name=hook`,
    PGHOST: process.env['PGHOST'] ?? '',
    PGUSER: process.env['PGUSER'] ?? '',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
  },
}
const server = gitServer(deps)

// The database comes first: hooks of one level don't wait for one another.
suite('git over HTTP', () => {
  before(async () => {
    for (const directory of [data.sources, data.repos, data.run('git')]) {
      await mkdir(directory, { recursive: true })
    }
    const made = await anApp(pool)
    app = made.app
    await ensureAuthorization(pool, {
      id: newId(),
      account: made.account.id,
      sha256: digestOf(TOKEN),
      description: 'test',
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    url = `http://heroku:${TOKEN}@127.0.0.1:${port}/${app.name}.git`
    manager = manage(ended.signal)
  })
  after(async () => {
    ended.abort()
    await manager
    await new Promise((resolve) => server.close(resolve))
    await rm(root, { recursive: true })
  })

  test('a push is built and released, and its output seen', async () => {
    const work = await aTree(root, { Procfile: 'web: node server.js\n' })
    const push = await git(work, ['push', url, 'main'])
    assert.equal(push.status, 0, push.said)
    assert.match(push.said, /remote: -----> Building on the debian-12 stack/)
    assert.match(push.said, /remote: {8}Released v\d+/)
    assert.match(push.said, /remote: Verifying deploy\.\.\. done\./)
    assert.deepEqual(pushed, ['Procfile'])
  })

  test('what was pushed can be cloned', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n', 'a.txt': 'cloned\n' })
    assert.equal((await git(work, ['push', '--force', url, 'main'])).status, 0)
    const clone = await git(root, ['clone', url, join(work, 'clone')])
    assert.equal(clone.status, 0, clone.said)
    assert.equal(await readFile(join(work, 'clone', 'a.txt'), 'utf8'), 'cloned\n')
  })

  test('a push whose build fails is rejected', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n' })
    dyno = fails
    const push = await git(work, ['push', '--force', url, 'main:master'])
    dyno = succeeds
    assert.equal(push.status, 1)
    assert.match(push.said, /remote: {2}! {5}no good/)
    assert.match(push.said, /remote: {2}! {5}Push rejected to /)
    assert.match(
      push.said,
      /\[remote rejected\] main -> master \(pre-receive hook declined\)/,
    )
    assert.doesNotMatch((await git(work, ['ls-remote', url])).said, /master/)
  })

  test('a push outlives the manager, and its own connection to the database', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n' })
    const builds = runtime.starts.length
    dyno = async ({ id }) => runtime.print(id, '-----> At work\n')
    const push = git(work, ['push', '--force', url, 'main'])
    await until('the build runs', () => runtime.starts.length > builds)

    ended.abort()
    await manager
    const { rows } = await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'hook' and datname = current_database()`,
    )
    assert.equal(rows.length, 1)
    ended = new AbortController()
    manager = manage(ended.signal)
    dyno = succeeds
    const [spec] = runtime.starts.slice(-1)
    assert.ok(spec)
    await succeeds(spec)

    const { status, said } = await push
    assert.equal(status, 0, said)
    assert.match(said, /At work[^]*Released v\d+[^]*Verifying deploy\.\.\. done\./)
    assert.equal(runtime.starts.length, builds + 1)
  })

  test('of two pushes at once one is built, the other is told to come again', async () => {
    const one = await aTree(root, { Procfile: 'web: one\n' })
    const other = await aTree(root, { Procfile: 'web: other\n' })
    const builds = runtime.starts.length
    dyno = async ({ id }) => runtime.print(id, '-----> At work\n')
    const first = git(one, ['push', '--force', url, 'main'])
    await until('the build runs', () => runtime.starts.length > builds)
    const second = await git(other, ['push', '--force', url, 'main'])
    assert.equal(second.status, 1)
    assert.match(second.said, /Another push to this app is being built/)
    const deletion = await git(other, ['push', url, ':main'])
    assert.match(deletion.said, /Another push to this app is being built/)
    assert.equal((await readdir(data.sources)).length, 1)

    dyno = succeeds
    const [spec] = runtime.starts.slice(-1)
    assert.ok(spec)
    await succeeds(spec)
    assert.equal((await first).status, 0)
    assert.equal(runtime.starts.length, builds + 1)
    const again = await git(other, ['push', '--force', url, 'main'])
    assert.equal(again.status, 0, again.said)
  })

  test('any other branch is taken, and not built', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n' })
    const builds = runtime.starts.length
    const push = await git(work, ['push', url, 'main:topic'])
    assert.equal(push.status, 0, push.said)
    assert.match(push.said, /remote: Pushed to non-main branch, skipping build\./)
    assert.equal(runtime.starts.length, builds)
  })

  test('a pack of more than a megabyte arrives: git sends it in chunks, after a probe', async () => {
    const work = await aTree(root, {})
    const large = Buffer.alloc(3 * 1024 ** 2)
    for (let at = 0; at < large.length; at += 4)
      large.writeUInt32LE((at * 2654435761) >>> 0, at)
    await writeFile(join(work, 'large'), large)
    await commit(work)
    const push = await git(work, ['push', url, 'main:large'])
    assert.equal(push.status, 0, push.said)
  })

  test('to a repository at its limit nothing is pushed, and it can be cloned', async (t) => {
    const there = await another(t, { repositoryLimit: 2 * 1024 ** 2 })
    const work = await aTree(root, { Procfile: 'web: x\n' })
    const push = await git(work, ['push', there, 'main:too-much'])
    assert.notEqual(push.status, 0)
    assert.match(push.said, /remote: The app's repository takes 2 GB or more/)
    assert.match(push.said, /error: 413/)
    const clone = await git(root, [
      'clone',
      '--quiet',
      '--branch=large',
      there,
      'all-of-it',
    ])
    assert.equal(clone.status, 0, clone.said)
  })

  test('who is answered may come again at once', async (t) => {
    const there = await another(t, { turnLimits: { ofEach: 1, ofAll: 1 } })
    const { origin, pathname, username, password } = new URL(there)
    const authorization = `Basic ${btoa(`${username}:${password}`)}`
    const asked = `${origin}${pathname}/info/refs?service=git-upload-pack`
    for (let nth = 0; nth < 20; nth++) {
      const answer = await fetch(asked, { headers: { authorization } })
      await answer.text()
      assert.equal(answer.status, 200)
    }
  })

  test('an account has so many pushes and fetches under way at once, and all together have', async (t) => {
    const there = await another(t, { turnLimits: { ofEach: 1, ofAll: 1 } })
    const { token: others } = await aDeployer(pool, app)
    const [one, two] = [
      await aTree(root, { Procfile: 'web: one\n' }),
      await aTree(root, { Procfile: 'web: two\n' }),
    ]
    const builds = runtime.starts.length
    dyno = async ({ id }) => runtime.print(id, '-----> At work\n')
    const first = git(one, ['push', '--force', there, 'main'])
    await until('the build runs', () => runtime.starts.length > builds)
    const again = await git(two, ['push', there, 'main:second'])
    assert.notEqual(again.status, 0)
    assert.match(again.said, /remote: As many pushes and fetches of your account are/)
    assert.match(again.said, /error: 429/)

    const late = await git(two, ['ls-remote', there.replace(TOKEN, others)])
    assert.match(late.said, /remote: Too many pushes and fetches are under way/)
    assert.match(late.said, /error: 503/)

    dyno = succeeds
    const [spec] = runtime.starts.slice(-1)
    assert.ok(spec)
    await succeeds(spec)
    assert.equal((await first).status, 0)
    await until('the turn is given back', async () =>
      /^[0-9a-f]{40}/.test((await git(two, ['ls-remote', there])).said),
    )
  })

  test('who leaves in the middle of a push has its turn back', async (t) => {
    const there = await another(t, { turnLimits: { ofEach: 1, ofAll: 1 } })
    const { origin, pathname } = new URL(there)
    const begun = () => {
      const push = request(`${origin}${pathname}/git-receive-pack`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`,
          'content-type': 'application/x-git-receive-pack-request',
          'content-length': '1000000',
        },
      })
      push.on('error', () => {})
      push.write(pushOf(entry('100644', 'a', TEXT), text))
      return push
    }
    let push = begun()
    // The question below may have the only turn as it comes: then it is answered at once.
    const again = () => {
      push.destroy()
      push = begun().once('response', again)
    }
    push.once('response', again)
    const mayCome = async () =>
      /^[0-9a-f]{40}/.test((await git(root, ['ls-remote', there])).said)
    await until('it is let in', async () => !(await mayCome()))
    push.destroy()
    await until('the turn is given back', mayCome)
  })

  test('an account makes so many requests an hour', async (t) => {
    const there = await another(t, { requestsPerHour: 2 })
    // Two of them.
    assert.equal((await git(root, ['ls-remote', there])).status, 0)
    const late = await git(root, ['ls-remote', there])
    assert.match(late.said, /remote: Your account reached the rate limit of git/)
    const { origin, pathname } = new URL(there)
    const authorization = `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`
    const { status, headers } = await fetch(
      `${origin}${pathname}/info/refs?service=git-upload-pack`,
      { headers: { authorization } },
    )
    assert.deepEqual([status, headers.get('retry-after')], [429, '1800'])
  })

  test('a branch is deleted, but for the one that is deployed', async () => {
    const work = await aTree(root, { Procfile: 'web: x\n' })
    const builds = runtime.starts.length
    await git(work, ['push', url, 'main:doomed', 'main:refs/tags/ended'])
    const push = await git(work, ['push', url, ':doomed', ':ended'])
    assert.equal(push.status, 0, push.said)
    assert.doesNotMatch(push.said, /remote:/)
    assert.doesNotMatch((await git(work, ['ls-remote', url])).said, /doomed|ended/)

    const refused = await git(work, ['push', url, ':main'])
    assert.match(refused.said, /remote rejected\] main \(deletion of the current branch/)
    assert.equal(runtime.starts.length, builds)
  })
})

/** The same with other bounds; resolves to the app's URL there. */
async function another(t: TestContext, bounds: Partial<GitServerDeps>): Promise<string> {
  const strict = gitServer({ ...deps, ...bounds })
  await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve))
  t.after(() => strict.close())
  const there = new URL(url)
  there.port = String((strict.address() as AddressInfo).port)
  return there.href
}

function manage(signal: AbortSignal): Promise<void> {
  const build = lookAfterBuild(buildDeps(pool, runtime, data))
  const loop = { pool, region: 'us', looks: { build }, log: silentLog }
  return runLoop(
    { ...loop, overdue: () => assert.fail('a look outlived its lease') },
    signal,
  )
}

async function succeeds({ id }: DynoSpec): Promise<void> {
  const tarball = join(data.builds, id, 'source', 'source.tar.gz')
  const { stdout } = await promisify(execFile)('tar', ['--list', '--file', tarball])
  pushed = stdout.trim().split('\n')
  runtime.print(id, '-----> Building on the debian-12 stack\n')
  await mkdir(join(data.slugs, id, 'app'), { recursive: true })
  runtime.end(id, 0)
}

async function fails({ id }: DynoSpec): Promise<void> {
  runtime.print(id, ' !     no good\n')
  runtime.end(id, 1)
}
