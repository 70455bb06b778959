/**
 * One request to somewhere its caller does not trust: to addresses within reach only, looked
 * at after the name was resolved and connected to as they are; no redirect is followed, the
 * body of the answer is not read, and it ends in time.
 */

import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'

import { addressesOf, type Asking } from '../lib/addresses-of.ts'
import { mayReach, type Reach } from '../model/reach.ts'

export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface PostLimits extends Pick<Asking, 'nameServers'> {
  readonly reach: Reach
  /** Milliseconds until the head of the answer must be there. */
  readonly patience: number
  readonly signal: AbortSignal
}

/** The answer's status, or of which kind the error was: `ECONNREFUSED`, `TimeoutError`. */
export type Answer = { readonly code: number } | { readonly error: string }

class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
}

/** Never rejects. */
export function post(
  { url, headers, body }: Message,
  { reach, patience, signal: stop, nameServers }: PostLimits,
): Promise<Answer> {
  const target = new URL(url)
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 && !mayReach(host, reach)) {
    return Promise.resolve({ error: 'ForbiddenAddress' })
  }
  const timeout = AbortSignal.timeout(patience)
  const signal = AbortSignal.any([timeout, stop])
  const send = target.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve) => {
    const request = send(target, {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      agent: false,
      lookup: lookupWithin(reach, { signal, nameServers }),
      signal,
    })
    request.on('response', (response) => {
      resolve({ code: response.statusCode ?? 0 })
      response.on('error', () => {}).destroy()
    })
    request.on('error', (error) =>
      resolve({ error: timeout.aborted ? 'TimeoutError' : classOf(error) }),
    )
    // An answer that is none, such as another protocol.
    request.on('close', () => resolve({ error: 'NoAnswer' }))
    request.end(body)
  })
}

function lookupWithin(reach: Reach, asking: Asking): LookupFunction {
  return (host, options, answer) => {
    addressesOf(host, asking).then(
      (found) => {
        const within = found.filter((it) => mayReach(it.address, reach))
        const [first] = within
        if (!first) return answer(new ForbiddenAddress(host), [])
        if (options.all) return answer(null, within)
        return answer(null, first.address, first.family)
      },
      (error: Error) => answer(error, []),
    )
  }
}

function classOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.name
}
