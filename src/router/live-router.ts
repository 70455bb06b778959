/** What a running HAProxy says of itself, read from its admin socket's answers. */

import type { RouterPaths } from './router-paths.ts'
import { BACKEND } from './routing-table.ts'

export interface Worker {
  readonly pid: number
  /** Tells which configuration it runs; see `shapeOf`. */
  readonly shape: string
}

export interface LiveRouter extends Pick<Worker, 'shape'> {
  readonly servers: readonly LiveServer[]
  readonly hosts: ReadonlyMap<string, string>
  readonly challenges: ReadonlyMap<string, string>
}

export interface LiveServer {
  readonly backend: string
  /** A dyno has two while its app's wishes come or go: one in a backend of each kind. */
  readonly name: string
  readonly id: number
  /** It gets no new requests, and may be deleted once its last one ended. */
  readonly inMaintenance: boolean
  /** Seconds since it last went into maintenance or came out of it. */
  readonly unchangedFor: number
}

export function questions({ hostsMap, challengesMap }: RouterPaths): string[] {
  const maps = [challengesMap, hostsMap].map((map) => `show map ${map}`)
  return ['show info', 'show servers state', ...maps]
}

/**
 * The answers to `questions`: each ends with an empty line, of which one without content is
 * nothing but that. So the maps are told apart by their keys: a path is no host.
 */
export function parseLiveRouter(text: string): LiveRouter {
  const [info = '', state = '', ...maps] = text.split('\n\n')
  const entries = parseMap(maps.join('\n'))
  return {
    shape: parseWorker(info).shape,
    servers: parseServers(state),
    hosts: new Map(entries.filter(([key]) => !key.startsWith('/'))),
    challenges: new Map(entries.filter(([key]) => key.startsWith('/'))),
  }
}

/** From `show info`. */
export function parseWorker(text: string): Worker {
  return {
    pid: Number(/^Pid: (\d+)$/m.exec(text)?.[1]),
    shape: /^description: (.*)$/m.exec(text)?.[1] ?? '',
  }
}

/** Those of apps, from `show servers state`, version 1. */
export function parseServers(text: string): LiveServer[] {
  return text.split('\n').flatMap((line) => {
    const [, backend, id, name, , , admin, , , unchangedFor] = line.split(' ')
    if (!backend || !BACKEND.test(backend) || !name || !/^\d+$/.test(admin ?? ''))
      return []
    return [
      {
        backend,
        name,
        id: Number(id),
        inMaintenance: (Number(admin) & 1) === 1,
        unchangedFor: Number(unchangedFor),
      },
    ]
  })
}

/** Pids of workers that were reloaded and have connections left: `show proc` of the master. */
export function parseOldWorkers(text: string): number[] {
  const [, old = ''] = text.split('# old workers\n')
  return [...old.matchAll(/^(\d+) +worker /gm)].map(([, pid]) => Number(pid))
}

/**
 * Servers with requests under way, `app0/web.1:<dyno id>`: `show servers conn`. Throws for what is no
 * answer to it: a dyno that is taken for idle may end.
 */
export function parseBusyServers(text: string): string[] {
  if (!text.startsWith('# bkname/svname ')) {
    throw new Error(`HAProxy did not say which servers are busy: ${text.slice(0, 200)}`)
  }
  return text.split('\n').flatMap((line) => {
    const [server = '', , , , , , used] = line.split(' ')
    return Number(used) > 0 ? [server] : []
  })
}

/** Lines of `<address of the entry> <key> <value>`. */
function parseMap(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const [, key, value] = line.split(' ')
    return key && value ? [[key, value]] : []
  })
}
