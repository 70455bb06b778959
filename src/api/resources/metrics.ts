/**
 * For Prometheus: everything of every app, to the operator alone. It asks for no version of the
 * API, for Prometheus cannot, and counts among no account's requests.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

import { later, MINUTE } from '../../lib/clock.ts'
import type { AppId } from '../../model/ids.ts'
import { platformFamilies } from '../../model/platform-families.ts'
import { Problem } from '../../model/problem.ts'
import { CONTENT_TYPE, type Family, renderPrometheus } from '../../model/prometheus.ts'
import { recentFamily, routerFamilies } from '../../model/router-families.ts'
import {
  servicePercentile,
  type SparseMeasures,
  together,
} from '../../model/router-measures.ts'
import { isOperator } from '../../store/accounts.ts'
import { platformMetrics, type PlatformMetrics } from '../../store/metrics.ts'
import { routerMeasures } from '../../store/router-measures.ts'
import { askLogs } from '../ask-logs.ts'
import type { ApiDeps } from '../deps.ts'

const RECENT = 5 * MINUTE

export const metrics: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, data, clock, log } = deps

  const config = { anyVersion: true, free: true }
  server.get('/metrics', { config }, async ({ account }, reply) => {
    if (!(await isOperator(pool, account.id))) {
      throw new Problem('forbidden', `Only the operator's own account sees all apps.`)
    }
    const now = clock.now()
    const platform = await platformMetrics(pool, now)
    const families = [
      ...(await requestFamilies(platform.apps)),
      await recent(platform.apps, now),
      ...platformFamilies(platform),
    ]
    return reply.type(CONTENT_TYPE).send(renderPrometheus(families))
  })

  /** Without `logs` the rest is told all the same. */
  async function requestFamilies(apps: PlatformMetrics['apps']): Promise<Family[]> {
    const counted = await askLogs(data, '/counts').catch((error: unknown) => {
      log.error('cannot ask for the counts of requests', error)
      return undefined
    })
    const names = new Map(apps.map((it) => [it.id, it.name]))
    const all = (counted ?? []) as readonly (SparseMeasures & { readonly app: AppId })[]
    const known = all.flatMap((it) => {
      const app = names.get(it.app)
      return app === undefined ? [] : [{ app, measures: together([it]) }]
    })
    return [
      {
        name: 'mayfly_requests_counted',
        help: 'Whether requests are counted: 0 while `logs` does not answer.',
        type: 'gauge',
        samples: [{ value: counted === undefined ? 0 : 1 }],
      },
      ...routerFamilies(known),
    ]
  }

  async function recent(apps: PlatformMetrics['apps'], now: Date): Promise<Family> {
    const ids = apps.map((it) => it.id)
    const span = { from: later(now, -RECENT), to: later(now, MINUTE), minutes: true }
    const kept = Map.groupBy(await routerMeasures(pool, ids, span), (it) => it.app)
    return recentFamily(
      apps.flatMap(({ id, name: app }) => {
        const its = kept.get(id)
        if (!its) return []
        const all = together(its)
        const of = (share: number) => servicePercentile(all, share)
        const longest = of(1) === undefined ? undefined : all.serviceLongest
        const quantiles = {
          '0.5': of(0.5),
          '0.95': of(0.95),
          '0.99': of(0.99),
          '1': longest,
        }
        return [{ app, quantiles }]
      }),
    )
  }
}
