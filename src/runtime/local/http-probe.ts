import { get } from 'node:http'

import type { Probe } from '../runtime.ts'

/**
 * The status of the answer to a GET, its body unread; undefined when none began in time or
 * nobody spoke HTTP there.
 */
export function httpProbe(
  at: { readonly host: string; readonly port: number },
  { path, timeout }: Probe,
  signal: AbortSignal,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    const headers = { 'user-agent': 'mayfly-healthcheck', connection: 'close' }
    const request = get(
      { ...at, path, headers, agent: false, signal: patience },
      (it) => {
        resolve(it.statusCode)
        it.destroy()
      },
    )
    request.once('error', () => resolve(undefined))
  })
}
