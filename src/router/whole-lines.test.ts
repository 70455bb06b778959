/**
 * The line of each code that the state of an app or of HAProxy leads to, to the last field. Those of what
 * dynos and clients do wrong stand in the conformance tests, no-answer.test.ts, quarantine.test.ts and misbehaving-dynos.test.ts.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'

import { aBackend, aRouter, begunAnswer } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { SECOND } from '../lib/clock.ts'
import { ask } from './haproxy-socket.ts'

const pool = aDatabase()

const quick = { connect: 5000, firstByte: 500, idle: 2000, boot: SECOND }

const escaped = (text: string) => text.replaceAll('.', '\\.')

/** `told`: from `at` to the description; `end`: from `dyno` to `bytes`. */
function aLine(app: string, told: string, end: string, more = ''): RegExp {
  return new RegExp(
    `^${told} method=GET path="/${app}\\?a=b" host=${escaped(app)}\\.localhost request_id=[-0-9a-f]{36} ` +
      `fwd="10\\.1\\.2\\.3,127\\.0\\.0\\.1" ${end} protocol=http1\\.1 tls=false${more}$`,
  )
}

const NOBODY = (status: number) => `dyno= connect= service= status=${status} bytes=`

test('each state of an app has its line', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const other = await aRouter(t, pool)
  await router.app('scaled-down', { web: 0 })
  await router.app('new', { deployed: false })
  await other.app('abroad')
  const closed = await router.app('closed')
  await pool.query('update apps set maintenance = true where id = $1', [closed])
  const crashed = await router.app('fallen')
  await router.dyno(crashed, { address: '127.0.0.8', port: 5000 }, 'crashed')
  const starting = await router.app('slow-to-start')
  await router.dyno(starting, { address: '127.0.0.9', port: 5001 }, 'starting')
  const cookies = await router.app('cookies')
  await router.dyno(
    cookies,
    await aBackend(t, (_, it) =>
      it.writeHead(200, { 'set-cookie': `a=${'x'.repeat(8191)}` }).end(),
    ),
  )
  await router.look()
  await router.start()
  await router.look()

  const expected: Record<string, [number, RegExp]> = {
    'scaled-down': [
      503,
      aLine(
        'scaled-down',
        'at=error code=H14 desc="No web processes running"',
        NOBODY(503),
      ),
    ],
    new: [502, aLine('new', 'at=info code=H81 desc="Blank app"', NOBODY(502))],
    abroad: [
      421,
      aLine(
        'abroad',
        'at=error code=H31 desc="Misdirected Request"',
        NOBODY(421),
        ' agent="whole lines/1\\.0"',
      ),
    ],
    closed: [
      503,
      aLine('closed', 'at=info code=H80 desc="Maintenance mode"', NOBODY(503)),
    ],
    fallen: [503, aLine('fallen', 'at=error code=H10 desc="App crashed"', NOBODY(503))],
    'slow-to-start': [
      503,
      aLine('slow-to-start', 'at=error code=H20 desc="App boot timeout"', NOBODY(503)),
    ],
    cookies: [
      502,
      aLine(
        'cookies',
        'at=error code=H25 desc="HTTP restriction: oversized cookie"',
        'dyno=web\\.1 connect=\\d+ms service=\\d+ms status=502 bytes=\\d+',
      ),
    ],
  }
  const asked = Object.entries(expected).map(async ([app, [status, line]]) => {
    const got = await router.get(`${app}.localhost`, `/${app}?a=b`, {
      'x-forwarded-for': '10.1.2.3',
      'user-agent': 'whole "lines"/1.0',
    })
    assert.equal(got.status, status, app)
    assert.match(got.body, /<html lang="en">/)
    assert.match(await aRouterLine(router, `/${app}?a=b`), line)
  })
  await Promise.all(asked)
})

test('a request that is ended by order has its line', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('ended')
  const at = await aBackend(t, (_, it) => void it.write('first,'))
  const dyno = await router.dyno(app, at)
  await router.look()
  await router.start()
  const answer = await begunAnswer(router.port, '/ended?a=b', {
    host: 'ended.localhost',
    'x-forwarded-for': '10.1.2.3',
  })
  const broken = assert.rejects(answer.toArray(), { code: 'ECONNRESET' })
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  await ask(join(router.directory, 'admin.sock'), [
    `shutdown sessions server app${rows[0]?.slot}/web.1:${dyno}`,
  ])
  await broken
  assert.match(
    await aRouterLine(router, '/ended?a=b'),
    aLine(
      'ended',
      'sock=backend at=error code=H18 desc="Server Request Interrupted"',
      'dyno=web\\.1 connect=\\d+ms service=\\d+ms status=503 bytes=\\d+',
    ),
  )
})
