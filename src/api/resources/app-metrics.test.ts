import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { anApi, type AnApi, type Json } from '../../../test/an-api.ts'
import { anApp, type AnApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { later, MINUTE } from '../../lib/clock.ts'
import { appEvent } from '../../model/event.ts'
import { newId } from '../../model/ids.ts'
import { bucketOf } from '../../model/latency-histogram.ts'
import { layout } from '../../model/router-measures.ts'
import { writeEvents } from '../../store/events.ts'
import { putRouterMeasures } from '../../store/router-measures.ts'

const pool = aDatabase()
const start = new Date('2026-01-01T00:00:00Z')
let call: AnApi['call']
let made: AnApp

const time = (minutes: number) => later(start, minutes * MINUTE).toISOString()
const during = (from: number, to: number, step = '1m') =>
  `start_time=${time(from)}&end_time=${time(to)}&step=${step}`
const between = (from: string, to: string) =>
  `start_time=${encodeURIComponent(from)}&end_time=${encodeURIComponent(to)}&step=1h`

suite('metrics of an app', () => {
  test('latency, status and errors of requests, step by step', async () => {
    ;({ call } = await anApi(pool))
    made = await anApp(pool)
    await made.deploy()
    const { STATUS, CODE, SERVICE } = layout
    const minute = (nth: number, counts: Record<number, number>, longest: number) => ({
      app: made.app.id,
      at: later(start, nth * MINUTE),
      keys: Object.keys(counts).map(Number),
      counts: Object.values(counts),
      serviceTotal: 1,
      serviceLongest: longest,
    })
    await putRouterMeasures(pool, newId(), [
      minute(0, { [STATUS + 2]: 10, [SERVICE + 20]: 10 }, 20),
      minute(
        2,
        {
          [STATUS + 2]: 9,
          [STATUS + 5]: 1,
          [CODE + 12]: 1,
          [SERVICE + 10]: 9,
          [SERVICE + bucketOf(30_000)]: 1,
        },
        30_001,
      ),
    ])
    const get = async (metric: string, when: string) => {
      const { status, body } = await call(
        `GET /apps/${made.app.name}/router-metrics/${metric}?${when}&process_type=web`,
      )
      assert.equal(status, 200, JSON.stringify(body))
      return body
    }
    const middle = 30_207.5
    assert.deepEqual(await get('latency', during(0, 3)), {
      start_time: time(0),
      end_time: time(3),
      step: 1,
      data: {
        'latency.ms.p50': [20, null, 10],
        'latency.ms.p95': [20, null, Math.min(middle, 30_001)],
        'latency.ms.p99': [20, null, Math.min(middle, 30_001)],
        'latency.ms.max': [20, null, 30_001],
      },
    })
    assert.deepEqual((await get('status', during(0, 3))).data, {
      status_1xx: [0, 0, 0],
      status_2xx: [10, 0, 9],
      status_3xx: [0, 0, 0],
      status_4xx: [0, 0, 0],
      status_5xx: [0, 0, 1],
    })
    assert.deepEqual((await get('errors', during(0, 3))).data, { H12: [0, 0, 1] })
    const { data, ...hour } = await get('status', during(1, 59, '1h'))
    assert.deepEqual([hour.start_time, hour.end_time, hour.step], [time(0), time(60), 60])
    assert.deepEqual((data as Json | undefined)?.status_2xx, [19])
  })

  test('errors of dynos by process type', async () => {
    const event = (
      minute: number,
      ps: string,
      kind: 'dyno.exit-timeout' | 'dyno.crashed',
    ) =>
      appEvent({
        app: made.app.id,
        at: later(start, minute * MINUTE),
        kind,
        ps,
        cause: 'out of memory',
        message: '',
      })
    await writeEvents(pool, [
      event(1, 'web.1', 'dyno.exit-timeout'),
      event(1, 'web.2', 'dyno.exit-timeout'),
      event(1, 'web.1', 'dyno.crashed'),
      event(1, 'worker.1', 'dyno.exit-timeout'),
      event(9, 'web.1', 'dyno.exit-timeout'),
    ])
    const path = `/apps/${made.app.name}/formation/web/metrics/errors`
    const { body } = await call(`GET ${path}?${during(0, 2)}`)
    assert.deepEqual(body.data, { R12: [0, 2], R15: [0, 1] })
  })

  const asked: [string, string, number][] = [
    ['router-metrics/status', during(3, 3), 422],
    ['router-metrics/status', during(0, 3, '1s'), 422],
    ['router-metrics/status', during(0, 1501), 422],
    ['router-metrics/status', 'start_time=x&end_time=y', 422],
    ['router-metrics/status', '', 422],
    // What `Date` takes, and the database does not.
    ['router-metrics/status', between('-010000-01-01', '-010000-01-02'), 422],
    ['formation/web/metrics/errors', between('-010000-01-01', '-010000-01-02'), 422],
    ['router-metrics/status', between('+275760-09-12', '+275760-09-13'), 422],
    ['router-metrics/status', between('0000-12-31', '0001-01-01'), 422],
    ['router-metrics/status', between('9999-12-30', '9999-12-31'), 200],
    ['router-metrics/status', between('0001-01-01', '0001-01-02'), 200],
    ['router-metrics/bogus', during(0, 3), 422],
    ['router-metrics/status', `${during(0, 3)}&process_type=worker`, 400],
    ['formation/none/metrics/errors', during(0, 3), 400],
  ]
  for (const [path, query, status] of asked) {
    test(`${status}: ${path}?${query}`, async () => {
      const answer = await call(`GET /apps/${made.app.name}/${path}?${query}`)
      assert.equal(answer.status, status, JSON.stringify(answer.body))
    })
  }
})
