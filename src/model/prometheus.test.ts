import assert from 'node:assert/strict'
import { test } from 'node:test'

import { platformFamilies } from './platform-families.ts'
import { renderPrometheus } from './prometheus.ts'
import { routerFamilies } from './router-families.ts'
import { layout, together } from './router-measures.ts'

const { STATUS, CODE, SERVICE, QUEUE } = layout

test('counts of requests as Prometheus reads them', () => {
  const measures = together([
    {
      keys: [
        STATUS,
        STATUS + 2,
        STATUS + 5,
        CODE + 12,
        SERVICE + 3,
        SERVICE + 10,
        QUEUE + 5,
      ],
      counts: [1, 9, 2, 2, 4, 5, 9],
      serviceTotal: 62,
      serviceLongest: 10,
    },
  ])
  const text = renderPrometheus(routerFamilies([{ app: 'my-app', measures }]))
  const lines = text.split('\n')
  for (const line of [
    '# TYPE mayfly_requests_total counter',
    'mayfly_requests_total{app="my-app",class="2xx"} 9',
    'mayfly_requests_total{app="my-app",class="4xx"} 0',
    'mayfly_requests_total{app="my-app",class="5xx"} 2',
    'mayfly_requests_total{app="my-app",class="none"} 1',
    'mayfly_router_errors_total{app="my-app",code="H12"} 2',
    'mayfly_service_seconds_bucket{app="my-app",le="0.005"} 4',
    'mayfly_service_seconds_bucket{app="my-app",le="0.01"} 9',
    'mayfly_service_seconds_bucket{app="my-app",le="+Inf"} 9',
    'mayfly_service_seconds_sum{app="my-app"} 0.062',
    'mayfly_service_seconds_count{app="my-app"} 9',
    'mayfly_connect_seconds_count{app="my-app"} 0',
    'mayfly_queue_seconds_bucket{app="my-app",le="0.005"} 9',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${text}`)
  }
  for (const line of lines.slice(0, -1)) {
    assert.match(
      line,
      /^(# (HELP|TYPE) mayfly_\w+ .+|mayfly_\w+\{(\w+="[^"]*",?)+\} [\d.]+)$/,
    )
  }
  assert.equal(lines.at(-1), '')
})

test('what there is none of is left out, and no label breaks out of its quotes', () => {
  const none = { dynos: [], wanted: [], stops: [], memory: [] }
  assert.equal(renderPrometheus(platformFamilies(none)), '')
  const stops = [{ app: 'a', type: 'web', cause: 'a "b"\\\n', count: 2 }]
  assert.match(
    renderPrometheus(platformFamilies({ ...none, stops })),
    /^mayfly_dyno_stops_past_hour\{app="a",type="web",cause="a \\"b\\"\\\\\\n"\} 2$/m,
  )
})
