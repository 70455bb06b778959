import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, beforeEach, suite, test } from 'node:test'

import type { FastifyInstance } from 'fastify'

import { installation } from '../../../test/an-api.ts'
import { anApp, type AnApp, secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { until } from '../../../test/until.ts'
import { dataDirectory } from '../../installation/data-directory.ts'
import { systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { type BuildId, newId } from '../../model/ids.ts'
import { HEROKU_LIMITS } from '../../model/limits.ts'
import { digestOf } from '../../model/token.ts'
import { ensureAuthorization } from '../../store/accounts.ts'
import { appendOutput } from '../../store/output.ts'
import { fail, findBuild } from '../../store/builds.ts'
import { forgetUpload, sourceToGet } from '../../store/sources.ts'
import { loginAttempts } from '../login-attempts.ts'
import { rateLimit, USUAL_ALLOWANCE } from '../rate-limit.ts'
import { apiServer } from '../server.ts'
import { builds } from './builds.ts'
import { sources } from './sources.ts'

const pool = aDatabase()
const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-builds-api-')))
let api: FastifyInstance
let own: AnApp

interface Blob {
  readonly source_blob: { readonly get_url: string; readonly put_url: string }
}
interface ApiBuild {
  readonly id: BuildId
  readonly status: string
  readonly output_stream_url: string
  readonly source_blob: { readonly version: string }
}

suite('builds and sources', () => {
  before(async () => {
    await mkdir(data.sources)
    const deps = {
      pool,
      secrets,
      webhooks: { secrets, reach: () => ({ own: [], allowed: [] }) },
      clock: systemClock,
      data,
      installation,
      log: silentLog,
      attempts: loginAttempts(systemClock),
      trustedProxies: () => [],
      ending: new AbortController().signal,
      rateLimit: rateLimit(systemClock, () => USUAL_ALLOWANCE),
      limits: () => HEROKU_LIMITS,
      hasDiskRoom: async () => true,
    }
    api = await apiServer(deps, [builds, sources])
  })
  after(async () => {
    await api.close()
    await rm(data.root, { recursive: true })
  })
  beforeEach(async () => {
    own = await anApp(pool)
    const authorization = {
      id: newId<'authorization'>(),
      account: own.account.id,
      sha256: digestOf('key'),
      description: 'test',
    }
    await ensureAuthorization(pool, authorization)
  })

  test('a tarball is uploaded, read back and built', async () => {
    const blob = await upload('a tarball')
    const { pathname } = new URL(blob.get_url)
    assert.equal((await api.inject(pathname)).body, 'a tarball')

    const made = await ask('POST', `/apps/${own.app.name}/builds`, {
      source_blob: { url: blob.get_url, version: 'abc' },
    })
    assert.equal(made.statusCode, 201)
    const build = made.json<ApiBuild>()
    assert.equal(build.status, 'pending')
    assert.equal(build.source_blob.version, 'abc')
    const row = await findBuild(pool, build.id)
    assert.deepEqual(await readdir(data.sources), [`${row?.source}.tar.gz`])
    const { rows } = await pool.query('select subject from work where kind = $1', [
      'build',
    ])
    assert.deepEqual(rows, [{ subject: build.id }])
  })

  test('the audit log has whose upload it was, and not by which URL', async () => {
    await upload('audited')
    const { rows } = await pool.query<{ email: string; route: string; nouns: object }>(
      `select email, route, nouns from audit where method = 'PUT' order by at desc limit 1`,
    )
    const source = await pool.query<{ id: string }>(
      'select id from sources order by uploaded_at desc nulls last limit 1',
    )
    assert.deepEqual(rows, [
      {
        email: 'dev@example.com',
        route: '/sources/:token',
        nouns: { source: source.rows[0]?.id },
      },
    ])
  })

  test('URLs lead back to the host that was asked', async () => {
    const made = await ask('POST', '/sources')
    const { put_url } = made.json<Blob>().source_blob
    assert.match(put_url, /^http:\/\/front\.example:5080\/sources\//)
  })

  test('the URL to read from is not one to write to', async () => {
    const { get_url } = await upload('mine')
    const put = await api.inject({
      method: 'PUT',
      url: new URL(get_url).pathname,
      payload: 'theirs',
    })
    assert.equal(put.statusCode, 404)
  })

  test('an account has so many uploads, and no more before builds used them up', async () => {
    const usedUp = 'update sources set uploaded_at = null, open_until = null'
    await pool.query(usedUp)
    for (let n = 0; n < 20; n++) await upload('mine')
    const more = await ask('POST', '/sources')
    assert.equal(more.statusCode, 429)
    assert.match(more.json<{ message: string }>().message, /^You have 20 uploads /)
    await pool.query(usedUp)
    await upload('mine')
  })

  test('sources that nothing was uploaded to yet count, as long as something can be', async () => {
    await pool.query('update sources set uploaded_at = null, open_until = null')
    const made = await Promise.all(
      Array.from({ length: 30 }, () => ask('POST', '/sources')),
    )
    const open = made.filter((it) => it.statusCode === 201)
    assert.equal(open.length, 20)
    await pool.query('update sources set open_until = now()')
    assert.equal((await ask('POST', '/sources')).statusCode, 201)
    const url = new URL(open[0]?.json<Blob>().source_blob.put_url ?? '').pathname
    const late = await api.inject({ method: 'PUT', url, payload: 'late' })
    assert.equal(late.statusCode, 404)
  })

  test('what a build used up takes no other upload', async () => {
    await pool.query('update sources set uploaded_at = null, open_until = null')
    const { get_url, put_url } = await upload('mine')
    const source = await sourceToGet(
      pool,
      digestOf(new URL(get_url).pathname.split('/')[2] ?? ''),
    )
    assert.ok(source)
    await forgetUpload(pool, source.id)
    const again = { method: 'PUT', url: new URL(put_url).pathname, payload: 'x' } as const
    assert.equal((await api.inject(again)).statusCode, 404)
  })

  test('an upload that is sent anew takes the place of the one under way', async () => {
    await pool.query('update sources set uploaded_at = null, open_until = null')
    const { put_url, get_url } = (await ask('POST', '/sources')).json<Blob>().source_blob
    const url = new URL(put_url).pathname
    const held = new PassThrough()
    held.write('a part')
    const first = assert.rejects(
      Promise.resolve(api.inject({ method: 'PUT', url, payload: held })),
      /Another upload/,
    )
    await until('it is under way', async () =>
      (await readdir(data.sources)).some((it) => it.endsWith('.part')),
    )
    const second = await api.inject({ method: 'PUT', url, payload: 'whole' })
    assert.equal(second.statusCode, 200)
    await first
    assert.equal((await api.inject(new URL(get_url).pathname)).body, 'whole')
    const left = await readdir(data.sources)
    assert.deepEqual(
      left.filter((it) => it.endsWith('.part')),
      [],
    )
  })

  test('nothing is uploaded to a disk that is nearly full, and later it is', async (t) => {
    const { put_url } = (await ask('POST', '/sources')).json<Blob>().source_blob
    const url = new URL(put_url).pathname
    const put = () => api.inject({ method: 'PUT', url, payload: 'mine' })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', data.sources])
    let mounted = true
    const unmount = () => {
      if (mounted) execFileSync('umount', [data.sources])
      mounted = false
    }
    t.after(unmount)
    const refused = await put()
    assert.equal(refused.statusCode, 503)
    assert.match(refused.json<{ message: string }>().message, /^The disk is nearly full/)
    assert.deepEqual(await readdir(data.sources), [])
    unmount()
    assert.equal((await put()).statusCode, 200)
  })

  test('what is said of a source has an end', async () => {
    const blob = { url: 'https://example.com/x', version: 'abc' }
    const long = 'x'.repeat(2001)
    for (const wrong of [
      { version: long },
      { version_description: long },
      { checksum: long },
      { url: `https://example.com/${'x'.repeat(8000)}` },
    ]) {
      const { statusCode, body } = await requestBuild({ ...blob, ...wrong })
      assert.equal(statusCode, 422, body)
      assert.match(body, /source_blob\.\w+ has more than [28],000 characters/)
    }
    const signed = { url: `https://example.com/${'x'.repeat(7000)}` }
    assert.equal((await requestBuild({ ...blob, ...signed })).statusCode, 201)
  })

  test('fifty builds of an app wait or run, and no more are taken', async () => {
    const blob = { url: 'https://example.com/x', version: 'abc' }
    await pool.query("update builds set status = 'failed', step = null")
    for (let i = 0; i < 50; i += 1) {
      assert.equal((await requestBuild(blob)).statusCode, 201)
    }
    const more = await requestBuild(blob)
    assert.deepEqual(
      [more.statusCode, more.json<{ id: string }>().id],
      [429, 'rate_limit'],
    )
    await pool.query("update builds set status = 'failed', step = null")
    assert.equal((await requestBuild(blob)).statusCode, 201)
  })

  test('a source that nothing was uploaded to is not built', async () => {
    const { get_url } = (await ask('POST', '/sources')).json<Blob>().source_blob
    const made = await requestBuild({ url: get_url })
    assert.equal(made.statusCode, 422)
  })

  test("a URL elsewhere is left to the build dyno; what is no web address isn't", async () => {
    const made = await requestBuild({ url: 'https://elsewhere.example/a.tgz' })
    const row = await findBuild(pool, made.json<ApiBuild>().id)
    assert.equal(row?.source, null)
    assert.equal((await requestBuild({ url: 'file:///etc/passwd' })).statusCode, 422)
  })

  test("a build's output streams to its end, to whoever has its URL", async () => {
    const made = (
      await requestBuild({ url: 'https://elsewhere.example/a.tgz' })
    ).json<ApiBuild>()
    const { pathname } = new URL(made.output_stream_url)
    await appendOutput(pool, { build: made.id }, '-----> Building\n')
    const stream = api.inject(pathname)
    await appendOutput(pool, { build: made.id }, ' !     no good\n')
    await fail(pool, made.id, 'no good')
    assert.equal((await stream).body, '-----> Building\n !     no good\n')
    assert.equal((await api.inject('/builds/nonsense/output')).statusCode, 404)
  })

  test('a build is listed, shown and cancelled, under its own app only', async () => {
    const made = (
      await requestBuild({ url: 'https://elsewhere.example/a.tgz' })
    ).json<ApiBuild>()
    const listed = await ask('GET', `/apps/${own.app.name}/builds`)
    assert.deepEqual(
      listed.json<ApiBuild[]>().map((it) => it.id),
      [made.id],
    )
    const path = `/apps/${own.app.name}/builds/${made.id}`
    assert.equal((await ask('GET', path)).json<ApiBuild>().id, made.id)
    assert.equal((await ask('DELETE', path)).statusCode, 200)
    assert.ok((await findBuild(pool, made.id))?.cancelledAt)
    await fail(pool, made.id, 'Build cancelled.')
    assert.equal((await ask('DELETE', path)).statusCode, 409)

    const other = await anApp(pool)
    assert.equal(
      (await ask('GET', `/apps/${other.app.name}/builds/${made.id}`)).statusCode,
      404,
    )
  })
})

async function upload(text: string): Promise<Blob['source_blob']> {
  const blob = (await ask('POST', '/sources')).json<Blob>().source_blob
  const put = await api.inject({
    method: 'PUT',
    url: new URL(blob.put_url).pathname,
    // As the CLI's plugin does.
    headers: { 'content-type': '' },
    payload: text,
  })
  assert.equal(put.statusCode, 200)
  return blob
}

function requestBuild(source_blob: { readonly url: string }) {
  return ask('POST', `/apps/${own.app.name}/builds`, { source_blob })
}

function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  return api.inject({
    method,
    url,
    ...(payload && { payload }),
    headers: {
      host: 'front.example:5080',
      accept: 'application/vnd.heroku+json; version=3',
      authorization: 'Bearer key',
    },
  })
}
