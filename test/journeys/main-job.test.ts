/** What a new user does, with the genuine CLI and git, from `heroku create` to `apps:destroy`. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { aJourney } from './a-journey.ts'
import { ask } from '../ask.ts'
import { until } from '../until.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const journey = aJourney()
const program = join(import.meta.dirname, '../..')
let app: PushedApp

interface Source {
  readonly source_blob: { readonly put_url: string; readonly get_url: string }
}

interface Build {
  readonly id: string
  readonly status: string
  readonly output_stream_url: string
}

async function body(url: string): Promise<string> {
  return (await ask(url)).body
}

test('an app is created in the first region, with a git remote', async () => {
  app = await anApp(journey, {
    source: 'examples/hello-node',
    name: 'main-job',
    create: [],
  })
  assert.match(
    await app.git('remote', '-v'),
    /heroku\s+https:\/\/localhost:\d+\/main-job\.git/,
  )
  assert.match(await app.heroku('info'), /Region:\s+us/)
})

test('an app without code says so', async () => {
  const answer = await ask(app.url)
  assert.equal(answer.status, 502)
  assert.match(answer.body, /Nothing was deployed/)
  await until('H81 is in the log', async () => /code=H81/.test(await app.log()))
})

test('a push is built, released, and answers', async () => {
  const printed = await app.push('The first')
  assert.match(printed, /remote: -----> Node\.js app detected/)
  assert.match(printed, /remote:\s+Released v3/)
  assert.match(printed, /Verifying deploy\.\.\. done\./)
  assert.match(await body(app.url), /web\.1/)
})

test('ps shows the dyno, as Heroku would', async () => {
  const ps = await app.heroku('ps')
  assert.match(ps, /=== web \(Standard-1X\): .* \(1\)/)
  assert.match(ps, /web\.1: up \d{4}\/\d\d\/\d\d/)
})

test('more dynos and a worker are started', async () => {
  assert.match(await app.heroku('ps:scale', 'web=3', 'worker=1'), /now running/)
  await app.heroku('ps:wait')
  const ps = await app.heroku('ps')
  for (const place of ['web.1', 'web.2', 'web.3', 'worker.1']) {
    assert.match(ps, new RegExp(`${place.replace('.', '\\.')}: up`))
  }
  const seen = new Set<string>()
  await until('all three answer', async () => {
    seen.add(await body(app.url))
    return seen.size === 3
  })
})

test('a config var makes a release and reaches the dynos', async () => {
  assert.match(await app.heroku('config:set', 'GREETING=Salut'), /done, v4/)
  await journey.calm(app.name)
  assert.match(await app.heroku('config'), /GREETING:\s+Salut/)
  await until('no dyno of v3 answers', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => body(app.url)))
    return answers.every((answer) => answer.startsWith('Salut'))
  })
  await app.heroku('config:set', 'GREETING=Salut')
  assert.doesNotMatch(await app.heroku('releases'), /v5/)
})

test('one dyno is restarted by hand, the others are left alone', async () => {
  const before = await journey.dynos(app.name)
  await app.heroku('ps:restart', 'web.2')
  const idOf = (dynos: typeof before, name: string) =>
    dynos.find((it) => it.name === name)?.id
  await until('web.2 is another', async () => {
    const after = await journey.dynos(app.name)
    return (
      idOf(after, 'web.2') !== idOf(before, 'web.2') &&
      after.every((it) => it.state === 'up')
    )
  })
  const after = await journey.dynos(app.name)
  for (const name of ['web.1', 'web.3', 'worker.1']) {
    assert.equal(idOf(after, name), idOf(before, name), name)
  }
})

test('releases are listed, and rolled back', async () => {
  const releases = await app.heroku('releases')
  assert.match(releases, /v4.*Set GREETING config vars/)
  assert.match(releases, /v3.*Deploy [0-9a-f]{8}/)
  assert.match(await app.heroku('rollback', 'v3'), /v3/)
  await journey.calm(app.name)
  assert.match(await app.heroku('releases'), /v5.*Rollback to v3/)
  await until(
    'the greeting of v3 is back',
    async () => !(await body(app.url)).startsWith('Salut'),
  )
})

test('the log tells it all, in order', async () => {
  const log = await app.logs()
  const lines = [
    /app\[api\]: Initial release by user/,
    /app\[api\]: Release v3 created by user/,
    /heroku\[web\.1\]: Starting process with command `/,
    /heroku\[web\.1\]: State changed from starting to up/,
    /app\[api\]: Scaled to web@3:Standard-1X worker@1:Standard-1X by user/,
    /app\[api\]: Set GREETING config vars by user/,
    /heroku\[web\.\d\]: Restarting/,
    /heroku\[web\.\d\]: Stopping all processes with SIGTERM/,
    /heroku\[web\.\d\]: Process exited with status \d+/,
    /app\[api\]: Rollback to v3 by user/,
  ]
  let from = 0
  for (const line of lines) {
    const at = log.slice(from).search(line)
    assert.ok(at >= 0, `${line} after ${log.slice(Math.max(0, from - 200), from)}`)
    from += at + 1
  }
  assert.match(log, /app\[web\.1\]: /)
})

test('the router tells of each request', async () => {
  const id = 'a-request-id-of-my-own-making'
  await ask(`${app.url}some/path?q=1`, { headers: { 'x-request-id': id } })
  await until('the line is in the log', async () =>
    new RegExp(
      `heroku\\[router\\]: at=info method=GET path="/some/path\\?q=1" host=\\S+ request_id=${id} fwd="?127\\.0\\.0\\.1"? dyno=web\\.\\d connect=\\d+ms service=\\d+ms status=200 bytes=\\d+ protocol=http1\\.1`,
    ).test(await app.logs('--source', 'heroku', '--ps', 'router')),
  )
})

test('the log is filtered by source and by dyno', async () => {
  const own = await app.logs('--source', 'app', '--dyno-name', 'web.1')
  assert.match(own, /app\[web\.1\]/)
  assert.doesNotMatch(own, /heroku\[|app\[api\]|web\.2/)
  assert.equal((await app.logs('--num', '2')).trim().split('\n').length, 2)
})

test('the log is followed live', async () => {
  const tail = journey.startHeroku('logs', '--tail', '--no-color', '--app', app.name)
  try {
    await until('the history is there', () => tail.output().includes('heroku['))
    await app.heroku('ps:scale', 'worker=0')
    await until('the line comes', () =>
      tail.output().includes('heroku[worker.1]: State changed from up to down'),
    )
  } finally {
    await tail.end()
  }
})

test('a push to another branch is kept and not built', async () => {
  const printed = await app.git('push', 'heroku', 'main:refs/heads/feature')
  assert.match(printed, /non-main branch/)
  assert.doesNotMatch(await app.heroku('releases'), /v6/)
})

test('a tarball is built by the Platform API', async () => {
  const tarball = join(journey.home, 'source.tar.gz')
  await promisify(execFile)('tar', ['-czf', tarball, '-C', app.directory, '.'])
  const { source_blob: blob } = (await journey.api('POST', '/sources')) as Source
  const put = await fetch(blob.put_url, { method: 'PUT', body: readFileSync(tarball) })
  assert.equal(put.status, 200)

  const wish = { source_blob: { url: blob.get_url, version: 'cafe0123' } }
  const build = (await journey.api('POST', `/apps/${app.name}/builds`, wish)) as Build
  const output = await (await fetch(build.output_stream_url)).text()
  assert.match(output, /-----> Node\.js app detected/)
  const ended = (await journey.api(
    'GET',
    `/apps/${app.name}/builds/${build.id}`,
  )) as Build
  assert.equal(ended.status, 'succeeded')
  assert.match(await app.heroku('releases'), /Deploy cafe0123/)
})

test('maintenance answers for the app', async () => {
  await app.heroku('maintenance:on')
  assert.equal((await ask(app.url)).status, 503)
  await app.heroku('maintenance:off')
  assert.equal((await ask(app.url)).status, 200)
  assert.match(await app.logs(), /code=H80/)
})

test('a renamed app and its own domains are found at once, and the old names no more', async () => {
  const status = async (host: string) =>
    (await ask(app.url, { headers: { host } })).status
  const added = await app.heroku('domains:add', 'www.example.com')
  assert.match(added, /DNS Target main-job\.localhost/)
  await app.heroku('domains:add', '*.shop.example')
  assert.match(
    await app.heroku('domains'),
    /www\.example\.com\s+CNAME\s+main-job\.localhost/,
  )
  assert.equal(await status('www.example.com'), 200)
  assert.equal(await status('any.shop.example'), 200)
  await app.heroku('domains:remove', 'www.example.com')
  assert.equal(await status('www.example.com'), 404)
  await app.heroku('domains:clear')
  assert.equal(await status('any.shop.example'), 404)

  await app.heroku('apps:rename', 'renamed')
  const [old, other] = [new URL(app.url).host, new URL(journey.url('renamed')).host]
  assert.equal(await status(other), 200)
  assert.equal(await status(old), 404)
  await journey.heroku('apps:rename', app.name, '--app', 'renamed')
  assert.equal(await status(old), 200)
})

test('a second person sees and pushes nothing until let in, and the audit tells', async () => {
  const token = (await journey.mayfly('account:create', 'bob@example.com')).trim()
  const bob = { token, cwd: app.directory }
  const heroku = (...args: string[]) =>
    journey.runAs(bob, [join(program, 'node_modules/.bin/heroku'), ...args])
  const push = () => journey.runAs(bob, ['git', 'push', 'heroku', 'main:kept'])

  assert.match((await heroku('auth:whoami')).stdout, /bob@example\.com/)
  assert.match((await heroku('logs', '--app', app.name)).stderr, /Couldn't find that app/)
  const stranger = await push()
  assert.notEqual(stranger.status, 0)
  assert.match(stranger.stderr, /not found/)

  await app.heroku('access:add', 'bob@example.com')
  assert.match(await app.heroku('access'), /bob@example\.com\s+collaborator/)
  const friend = await push()
  assert.equal(friend.status, 0, friend.stderr)

  const audit = await journey.mayfly('audit', '--app', app.name)
  assert.match(
    audit,
    /mayfly@localhost \S+ POST \/apps\/:app\/collaborators app=main-job/,
  )
  assert.match(
    audit,
    /bob@example\.com (127\.0\.0\.1|::1|::ffff:127\.0\.0\.1) POST \/:app\.git\/git-receive-pack app=main-job 200/,
  )
  assert.doesNotMatch(audit, new RegExp(token))
})

test('scaled to nothing, the app says so', async () => {
  await app.heroku('ps:scale', 'web=0')
  assert.equal((await ask(app.url)).status, 503)
  await until('H14 is in the log', async () => /code=H14/.test(await app.log()))
  await app.heroku('ps:scale', 'web=1')
  assert.equal((await ask(app.url)).status, 200)
})

test('a second region has its own router', async () => {
  assert.match(await journey.heroku('regions'), /eu/)
  const abroad = await anApp(journey, {
    source: 'examples/hello-node',
    name: 'abroad',
    create: ['--region', 'eu'],
  })
  await abroad.push('The first')
  assert.match(await body(journey.url('abroad', 1)), /web\.1/)
  const misdirected = await ask(journey.url('abroad', 0))
  assert.equal(misdirected.status, 421)
  await abroad.heroku('apps:destroy', '--confirm', 'abroad')
})

test('a destroyed app is gone, with all it had', async () => {
  await app.heroku('apps:destroy', '--confirm', app.name)
  assert.equal((await ask(app.url)).status, 404)
  assert.doesNotMatch(await journey.heroku('apps'), /main-job/)
  await until('no dyno of it is left', () => journey.containers('us') === 0)
})
