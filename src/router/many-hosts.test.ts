import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { AppId } from '../model/ids.ts'

const pool = aDatabase()

const soak = process.env['MAYFLY_SOAK'] !== undefined
const HOSTS = 10_000
/** Each has a backend of its own in HAProxy. */
const APPS = soak ? 10_000 : 300

/** `many-0` and so on: deployed, without a dyno. One statement: they are too many for a statement each. */
async function appsLike(app: AppId, many: number): Promise<void> {
  await pool.query(
    `with many as (
       select 'many-' || n as name, gen_random_uuid() as app, gen_random_uuid() as slug, gen_random_uuid() as release
       from generate_series(0, $2::int - 1) as n
     ), its as (
       select region, owner, stack from apps where id = $1
     ), s as (
       insert into slugs (id, app, stack, process_types) select slug, app, stack, '{}' from many, its
     ), r as (
       insert into releases (id, app, version, status, description, account, slug, config_vars)
       select release, app, 1, 'succeeded', '', owner, slug, '' from many, its
     ), f as (
       insert into formations (id, app, type, quantity, size, command)
       select gen_random_uuid(), app, 'web', 0, 'Standard-1X', 'web' from many
     )
     insert into apps (id, name, region, owner, stack, current_release)
     select app, name, region, owner, stack, release from many, its`,
    [app, many],
  )
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${text}`)
  return text
}

test(`${HOSTS} hosts and ${APPS} apps are each found`, async (t) => {
  const router = await aRouter(t, pool)
  const [first, last] = [await router.app('first-one'), await router.app('last-one')]
  await appsLike(first, APPS)
  await router.dyno(first, await aBackend(t, (_, it) => it.end('first')))
  await router.dyno(last, await aBackend(t, (_, it) => it.end('last')))
  await pool.query(
    `insert into domains (id, app, hostname)
     select gen_random_uuid(), case when n % 2 = 0 then $1::uuid else $2::uuid end,
            'h' || n || '.example.net' from generate_series(1, $3) as n`,
    [first, last, HOSTS],
  )
  await router.look()
  await router.start()
  await router.look()

  for (const n of [1, 2, 999, 1000, HOSTS - 1, HOSTS]) {
    const { body } = await router.get(`h${n}.example.net`)
    assert.equal(body, n % 2 === 0 ? 'first' : 'last', `h${n}`)
  }
  assert.equal((await router.get(`h${HOSTS + 1}.example.net`)).status, 404)
  assert.match((await router.get(`many-${APPS - 1}.localhost`)).body, /H14/)

  // All of them move at once, and back.
  await pool.query('update domains set app = $1', [first])
  await router.look()
  assert.equal((await router.get('h999.example.net')).body, 'first')
  await pool.query('delete from domains where hostname <> $1', ['h1.example.net'])
  await router.look()
  assert.equal((await router.get('h999.example.net')).status, 404)
  assert.equal((await router.get('h1.example.net')).body, 'first')
})

test('many streams of HTTP/2 share few connections', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  // 500 streams at a time: more than one dyno may have.
  const app = await router.app('streams', { web: 3 })
  await router.dyno(app, await aBackend(t, (_, it) => it.end('x'.repeat(2000))))
  await router.domain(
    app,
    'streams.example.com',
    await aCertificate(['streams.example.com']),
  )
  await router.look()
  await router.start()
  await router.look()
  const requests = soak ? 100_000 : 5000
  const told = await run('h2load', [
    '--requests',
    String(requests),
    '--clients',
    '10',
    '--max-concurrent-streams',
    '50',
    '--connect-to',
    `127.0.0.1:${router.tlsPort}`,
    `https://streams.example.com:${router.tlsPort}/`,
  ])
  assert.match(told, /Application protocol: h2/)
  assert.match(told, new RegExp(`status codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`))
})

test('clients that take their time keep nobody else waiting', async (t) => {
  const router = await aRouter(t, pool)
  // As many as may have all of those at once.
  const app = await router.app('patient', { web: soak ? 16 : 4 })
  await router.dyno(
    app,
    await aBackend(t, (asked, it) => asked.resume().on('end', () => it.end('ok'))),
  )
  // It names the address it asks.
  await pool.query(
    `insert into domains (id, app, hostname) values (gen_random_uuid(), $1, '127.0.0.1')`,
    [app],
  )
  await router.look()
  await router.start()
  const seconds = soak ? '30' : '4'
  const connections = soak ? '1000' : '200'
  const usual = ['-c', connections, '-r', '200', '-l', seconds, '-i', '1', '-p', '2']
  const at = ['-u', `http://127.0.0.1:${router.port}/`]
  // In slow heads, in slow bodies, and in slow reading.
  const reading = ['-X', '-w', '1', '-y', '1', '-n', '1', '-z', '1', '-k', '3']
  const over = new AbortController()
  const attacks = Promise.all(
    [['-H'], ['-B', '-s', '8192'], reading].map((manner) =>
      run('slowhttptest', [...manner, ...usual, ...at]),
    ),
  ).finally(() => over.abort())
  // What it throws is thrown below.
  attacks.catch(() => {})
  let answered = 0
  while (!over.signal.aborted) {
    assert.equal((await router.get('patient.localhost')).status, 200)
    answered++
  }
  await attacks
  t.diagnostic(`${answered} answers beside them`)
  assert.ok(answered > 10, `only ${answered} answers beside them`)
})
