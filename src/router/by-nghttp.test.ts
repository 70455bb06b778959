/** HTTP/2 as nghttp speaks it, frame by frame: another client than Node's own and curl's. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { SECOND } from '../lib/clock.ts'

/** More than a window has, before its client is given more: 65,535 bytes. */
const LARGE = 'large '.repeat(50_000)

const pool = aDatabase()

test('streams of one connection are each answered, and end', async (t) => {
  const by = await aClient(t, 'streams')
  const told = await by('--multiply=3', '/one', '/two')
  const heads = told.match(/recv \(stream_id=\d+\) :status: 200/g) ?? []
  assert.equal(new Set(heads).size, 6, told)
  assert.equal(told.match(/recv DATA frame .*flags=0x01/g)?.length, 6, told)
  assert.doesNotMatch(told, /recv RST_STREAM|recv GOAWAY/)
})

test('a body larger than a window comes whole, with its trailers after it', async (t) => {
  const by = await aClient(t, 'uploads')
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-nghttp-'))
  t.after(() => rm(directory, { recursive: true }))
  const body = join(directory, 'body')
  await writeFile(body, LARGE)
  const told = await by(
    `--data=${body}`,
    '--no-content-length',
    '--trailer=X-After: all',
    '/',
  )
  assert.match(told, /:status: 200/)
  assert.match(told, new RegExp(`x-length: ${LARGE.length}\\n`))
  assert.match(told, /recv .*x-after: all\n/)
})

test('a large answer is held to what its client takes', async (t) => {
  const by = await aClient(t, 'windows')
  const told = await by('--window-bits=16', '/large')
  const sizes = told.matchAll(/recv DATA frame <length=(\d+)/g)
  const received = Array.from(sizes, ([, size]) => Number(size))
  assert.equal(
    received.reduce((sum, size) => sum + size, 0),
    LARGE.length,
  )
  assert.match(told, /send WINDOW_UPDATE frame/)
})

/** What nghttp tells of a connection to an app's router. */
async function aClient(t: TestContext, name: string) {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app(name)
  const dyno = await aBackend(t, (request, answer) => {
    let length = 0
    request.on('data', (piece: Buffer) => (length += piece.length))
    request.on('end', () => {
      answer.setHeader('x-length', String(length))
      answer.setHeader('x-after', request.trailers['x-after'] ?? 'nothing')
      answer.end(request.url === '/large' ? LARGE : `${request.url}\n`)
    })
  })
  await router.dyno(app, dyno)
  await router.look()
  await router.start()
  await router.look()

  return async (...args: readonly string[]): Promise<string> => {
    const options = args.filter((it) => it.startsWith('--'))
    const paths = args.filter((it) => it.startsWith('/'))
    const usual = ['--verbose', '--null-out', `--header=:authority: ${name}.localhost`]
    const urls = paths.map((path) => `https://127.0.0.1:${router.tlsPort}${path}`)
    const all = [...usual, ...options, ...urls]
    const { stdout } = await promisify(execFile)('nghttp', all, { timeout: 20 * SECOND })
    return stdout
  }
}
