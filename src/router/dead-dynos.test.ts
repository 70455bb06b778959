/** Requests whose dyno is dead, and HAProxy did not see it die: the manager has them ended. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aBackend, aRouter, begunAnswer, type Got } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { HAPROXY_3 } from '../../test/haproxy-of-here.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'

const pool = aDatabase()

const ENDS = 'dyno=web\\.1 connect=\\d+ms service=\\d+ms status=503'
const CUT = new RegExp(
  `^sock=backend at=error code=H18 desc="Server Request Interrupted" .* ${ENDS} bytes=[1-9]`,
)
const UNANSWERED = new RegExp(
  `^at=error code=H13 desc="Connection closed without response" .* ${ENDS} bytes=0 `,
)

async function isAPage(got: Promise<Got>): Promise<void> {
  assert.equal((await got).status, 503)
}

test('a dead dyno`s requests are told as if it had hung up', async (t) => {
  const router = await aRouter(t, pool)
  const app = await router.app('dead')
  let underWay = 0
  const backend = await aBackend(t, (asked, it) => {
    underWay += 1
    if (asked.url === '/begun') it.write('first,')
  })
  const dyno = await router.dyno(app, backend)
  await router.look()
  await router.start()
  await router.look()
  const answer = await begunAnswer(router.port, '/begun', { host: 'dead.localhost' })
  const begun = assert.rejects(answer.toArray(), { code: 'ECONNRESET' })
  const unanswered = [
    router.get('dead.localhost', '/silent'),
    router.get('dead.localhost', '/put', {}, 'PUT'),
  ].map((it) => (HAPROXY_3 ? assert.rejects(it, { code: 'ECONNRESET' }) : isAPage(it)))
  await until('all are under way', () => underWay === 3)

  await router.become(dyno, 'crashed')
  await router.look()

  await begun
  assert.match(await aRouterLine(router, '/begun'), CUT)
  await Promise.all(unanswered)
  assert.match(await aRouterLine(router, '/silent'), UNANSWERED)
  assert.match(await aRouterLine(router, '/put'), UNANSWERED)
})
