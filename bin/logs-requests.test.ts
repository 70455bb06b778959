/** What becomes of the records of requests that come to the real logs process: lines, and counts. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { layout } from '../src/model/router-measures.ts'
import { putFeature } from '../src/store/app-features.ts'
import { aLogsPart } from '../test/a-logs-part.ts'
import { aDatabase } from '../test/postgres.ts'
import { until } from '../test/until.ts'

const pool = aDatabase()

suite('requests told to logs', () => {
  const logs = aLogsPart(pool)
  const { data } = logs

  test("the routers' records become lines, whatever else comes to the socket", async () => {
    const app = await logs.anApp()
    const path = data.recordSocket
    const stranger = createConnection(path)
    await once(stranger, 'connect')
    stranger.write('<134>Jan 1 00:00:00 what a mess')
    await once(stranger, 'close')

    const haproxy = createConnection(path)
    const line = `1767225600123456 ${app} 0 0 1 9 200 212 12 -- - 1 http - method=GET request_id=an-id dyno=web.1:5000 agent="" host="an-app.localhost" fwd="127.0.0.1" path="/é"`
    const frame = Buffer.from(`${Buffer.byteLength(line)} ${line}`)
    haproxy.write(Buffer.concat([frame, frame.subarray(0, 100)]))
    await until('it is a line', async () => (await logs.read(app)).length === 1)
    haproxy.write(Buffer.concat([frame.subarray(100), frame]))
    await until('all are lines', async () => (await logs.read(app)).length === 3)
    const lines = await logs.read(app, { source: 'heroku', dyno: 'router' })
    assert.deepEqual(new Set(lines).size, 1)
    assert.match(
      lines[0] ?? '',
      /^heroku\[router\]: at=info method=GET path="\/__" host=/,
    )
    assert.match(lines[0] ?? '', / protocol=http1\.1 tls=false$/)
    await until('all are counted', async () => {
      const { rows } = await pool.query<{ requests: string }>(
        `select sum(count) as requests
           from router_measures, unnest(keys, counts) as it (key, count)
          where app = $1 and key < 6`,
        [app],
      )
      return rows[0]?.requests === '3'
    })
    const socketPath = join(data.run('logs'), 'http.sock')
    const [response] = (await once(
      request({ socketPath, path: '/counts' }).end(),
      'response',
    )) as [IncomingMessage]
    const counts = JSON.parse((await response.toArray()).join('')) as unknown
    assert.deepEqual(counts, [
      {
        app,
        keys: [layout.STATUS + 2, layout.SERVICE + 8, layout.CONNECT + 1, layout.QUEUE],
        counts: [3, 3, 3, 3],
        serviceTotal: 24,
        serviceLongest: 8,
      },
    ])

    await putFeature(pool, app, { name: 'http-routing-2-dot-0', enabled: false })
    await until('lines are as the legacy router wrote them', async () => {
      haproxy.write(frame)
      return (await logs.read(app)).at(-1)?.endsWith(' bytes=12 protocol=http') ?? false
    })
    haproxy.end()
  })
})
