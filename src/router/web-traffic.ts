/** When what the apps were last asked for began, from what HAProxy's workers count anyway. */

import { SECOND } from '../lib/clock.ts'
import { ask } from './haproxy-socket.ts'
import { askOldWorkers } from './haproxy-master.ts'
import { routerPaths } from './router-paths.ts'
import { BACKEND_KINDS, backendOf } from './routing-table.ts'

const QUESTIONS = ['show info', 'show stat -1 2 -1']

/**
 * Resolves to what is known now, by slot: milliseconds since the last request began, 0 while one or
 * a websocket is under way, undefined where no HAProxy answers. When one ended nobody knows. A worker that has had no
 * request for an app may have followed one that had: it counts from its own start. Throws where a
 * worker that is there does not say: it may be the one that knows of traffic.
 */
export function webTraffic(directory: string) {
  const paths = routerPaths(directory)
  return async (): Promise<(slot: number) => number | undefined> => {
    const present = await ask(paths.adminSocket, QUESTIONS)
    if (present.is !== 'answered') return () => undefined
    const workers = [present.text, ...(await askOldWorkers(paths, QUESTIONS))]
    const known = workers.map(parseTraffic)
    return (slot) => {
      const backends = BACKEND_KINDS.map((kind) => backendOf(kind, slot))
      const its = known.flatMap((it) =>
        backends.flatMap((backend) => it.get(backend) ?? []),
      )
      return its.length === 0 ? undefined : Math.min(...its)
    }
  }
}

/** By backend. The answers to `QUESTIONS`, of one worker. */
function parseTraffic(text: string): ReadonlyMap<string, number> {
  const uptime = Number(/^Uptime_sec: (\d+)$/m.exec(text)?.[1] ?? 0)
  const [, header = '', body = ''] = /^# (.*)\n([^]*)/m.exec(text) ?? []
  const columns = header.split(',')
  const [name, current, last] = ['pxname', 'scur', 'lastsess'].map((it) =>
    columns.indexOf(it),
  )
  return new Map(
    body.split('\n').flatMap((line): [string, number][] => {
      const cells = line.split(',')
      const [backend, open, since] = [name, current, last].map((it) => cells[it ?? -1])
      if (!backend || since === undefined) return []
      const seconds = Number(since) < 0 ? uptime : Number(since)
      return [[backend, Number(open) > 0 ? 0 : seconds * SECOND]]
    }),
  )
}
