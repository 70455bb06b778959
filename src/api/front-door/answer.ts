import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

import { join } from 'node:path'

import type { DataDirectory } from '../../installation/data-directory.ts'
import type { ApiDeps } from '../deps.ts'
import { clientOf } from '../trusted-proxies.ts'
import { backendOf } from './backend-of.ts'
import { proxy } from './proxy.ts'

/** Answers every request that comes through the door: by another part, or by the API. */
export function answer(
  data: DataDirectory,
  api: RequestListener,
  { log, trustedProxies }: Pick<ApiDeps, 'log' | 'trustedProxies'>,
): RequestListener {
  return (incoming: IncomingMessage, reply: ServerResponse) => {
    const part = backendOf(incoming.url ?? '/')
    if (!part) return api(incoming, reply)
    const backend = {
      client: clientOf(incoming, trustedProxies()),
      name: `Mayfly's ${part}`,
      socketPath: join(data.run(part), 'http.sock'),
      // The CLI comes back to a log session that ended, but not after a reset.
      resumable: part === 'logs',
    }
    void proxy(incoming, reply, backend, log)
  }
}
