/**
 * An authority that gives certificates, by ACME (RFC 8555) with the challenge HTTP-01. What
 * it says no to is a `Refused`; what else goes wrong may go well another time.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent } from 'node:https'
import { createSecureContext, rootCertificates } from 'node:tls'

import acme from 'acme-client'

import { MiB } from '../lib/bytes.ts'
import { SECOND, systemClock } from '../lib/clock.ts'
import type { AcmeAccount, AcmeDirectory } from '../store/acme.ts'

/** In the authority's own words. */
export class Refused extends Error {
  override readonly name: string = 'Refused'
}

/** It has had too many requests, of this account or for this name. */
export class RateLimited extends Refused {
  override readonly name = 'RateLimited'
  /** Its Retry-After, in milliseconds; undefined: it said none that is one. */
  readonly retryAfter: number | undefined

  constructor(message: string, retryAfter: number | undefined, options: ErrorOptions) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}

/** Each call ends after half a minute, or as the signal aborts, by an error that is no `Refused`. */
export interface Authority {
  /** Resolves to the account's URL. Idempotent. */
  register(signal: AbortSignal): Promise<string>
  order(hostname: string, signal: AbortSignal): Promise<NewOrder>
  /** Has it ask for the answer. */
  tell(order: string, signal: AbortSignal): Promise<void>
  /** PEM; undefined: it has not decided yet. Asks for the certificate where it may. */
  fetch(order: OrderToFetch, signal: AbortSignal): Promise<string | undefined>
}

export interface OrderToFetch {
  readonly url: string
  readonly hostname: string
  /** PEM: the certificate's. */
  readonly privateKey: string
}

export interface NewOrder {
  readonly url: string
  /** What it asks for, and the answer; null: it knows the domain to be ours already. */
  readonly token: string | null
  readonly keyAuthorization: string | null
}

/** Of one answer, and of all that a call of ours asks for. */
const ANSWER = 20 * SECOND
const CALL = 30 * SECOND
const LONGEST_ANSWER = MiB
/** Servers keep a connection for longer than that: none is taken up again as they hang up. */
const IDLE = 4 * SECOND

/** As RFC 8555 has it (8.3): it becomes a path, and a word of a command to HAProxy. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/

export const newPrivateKey = async (): Promise<string> =>
  (await acme.crypto.createPrivateEcdsaKey()).toString()

/** What the library's one HTTP client is to know of whose request it sends. */
interface Call {
  readonly httpsAgent: Agent
  readonly signal: AbortSignal
  /** Of its last answer. Null: that was of another kind. */
  limited: { readonly retryAfter: number | undefined } | null
}

const calls = new AsyncLocalStorage<Call>()

{
  const { defaults, interceptors } = acme.axios
  // With these the library asks again for half a minute, and loses why nobody answered.
  interceptors.request.clear()
  interceptors.response.clear()
  defaults.timeout = ANSWER
  defaults.maxContentLength = LONGEST_ANSWER
  interceptors.request.use((request) => {
    const { httpsAgent, signal } = calls.getStore() ?? {}
    return Object.assign(request, { httpsAgent, signal })
  })
  interceptors.response.use((answer) => {
    const call = calls.getStore()
    const retryAfter: unknown = answer.headers['retry-after']
    if (call)
      call.limited = isRateLimited(answer) ? { retryAfter: timeIn(retryAfter) } : null
    return answer
  })
}

function isRateLimited({
  status,
  data,
}: {
  readonly status: number
  readonly data: unknown
}) {
  const { type } = (data ?? {}) as { readonly type?: unknown }
  return status === 429 || (status >= 400 && type === RATE_LIMITED)
}

const RATE_LIMITED = 'urn:ietf:params:acme:error:rateLimited'

/** A Retry-After, seconds or a date, as milliseconds from now. */
function timeIn(header: unknown): number | undefined {
  const text = typeof header === 'string' ? header.trim() : ''
  const time = /^\d{1,9}$/.test(text)
    ? Number(text) * SECOND
    : Date.parse(text) - systemClock.now().getTime()
  return time >= 0 ? time : undefined
}

/**
 * To be kept: its connections are, and who vouches for the authority is read once. `account.url`
 * null: it must be registered before anything else.
 */
export function authorityOf(
  { url: directoryUrl, email, trusted }: AcmeDirectory,
  { privateKey: accountKey, url: accountUrl }: AcmeAccount,
): Authority {
  const ca = trusted === null ? [...rootCertificates] : [...rootCertificates, trusted]
  const httpsAgent = new Agent({
    secureContext: createSecureContext({ ca }),
    keepAlive: true,
    timeout: IDLE,
  })
  const client = new acme.Client({
    directoryUrl,
    accountKey,
    ...(accountUrl === null ? {} : { accountUrl }),
    // It is we who ask again later.
    backoffAttempts: 1,
  })

  return {
    register: (signal) =>
      told(signal, async () => {
        await client.createAccount({
          termsOfServiceAgreed: true,
          ...(email === null ? {} : { contact: [`mailto:${email}`] }),
        })
        return client.getAccountUrl()
      }),
    order: (hostname, signal) =>
      told(signal, async () => {
        const identifiers = [{ type: 'dns', value: hostname }]
        const order = await client.createOrder({ identifiers })
        const challenge = await openChallenge(client, order)
        if (!challenge) return { url: order.url, token: null, keyAuthorization: null }
        if (!TOKEN.test(challenge.token)) {
          throw new Refused('The challenge of the authority has a token that is none.')
        }
        const keyAuthorization = await client.getChallengeKeyAuthorization(challenge)
        return { url: order.url, token: challenge.token, keyAuthorization }
      }),
    tell: (url, signal) =>
      told(signal, async () => {
        const challenge = await openChallenge(client, await orderAt(client, url))
        if (challenge) await client.completeChallenge(challenge)
      }),
    fetch: ({ url, hostname, privateKey }, signal) =>
      told(signal, async () => {
        const order = await orderAt(client, url)
        if (order.status === 'invalid') throw new Refused(await whyInvalid(client, order))
        if (order.status === 'ready') {
          const names = { commonName: hostname, altNames: [hostname] }
          const [, request] = await acme.crypto.createCsr(names, privateKey)
          await client.finalizeOrder(order, request)
          return undefined
        }
        return order.status === 'valid' ? client.getCertificate(order) : undefined
      }),
  }

  /** What is no answer of the authority's (axios's own errors) is thrown as it is. */
  async function told<T>(ending: AbortSignal, ask: () => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(CALL)
    const signal = AbortSignal.any([ending, deadline])
    const call: Call = { httpsAgent, signal, limited: null }
    try {
      return await calls.run(call, ask)
    } catch (error) {
      ending.throwIfAborted()
      if (deadline.aborted) throw new Late()
      if (!(error instanceof Error) || error instanceof Refused) throw error
      if ('isAxiosError' in error) throw error
      const { limited } = call
      if (limited)
        throw new RateLimited(error.message, limited.retryAfter, { cause: error })
      throw new Refused(error.message, { cause: error })
    }
  }
}

class Late extends Error {
  override readonly name = 'Late'
  override readonly message = `not within ${CALL / SECOND} seconds`
}

function orderAt(client: acme.Client, url: string): Promise<acme.Order> {
  // The library asks for a whole order to read one, and takes its URL alone from it.
  return client.getOrder({ url } as acme.Order)
}

/** The question that waits for an answer; undefined: none does. */
async function openChallenge(client: acme.Client, order: acme.Order) {
  const authorizations = await client.getAuthorizations(order)
  const open = authorizations.find((it) => it.status === 'pending')
  if (!open) return undefined
  const challenge = open.challenges.find((it) => it.type === 'http-01')
  if (!challenge) throw new Refused('The authority offers no HTTP-01 challenge.')
  return challenge
}

async function whyInvalid(client: acme.Client, order: acme.Order): Promise<string> {
  const authorizations = await client.getAuthorizations(order)
  const errors = authorizations.flatMap(({ challenges }) =>
    challenges.flatMap((it) => detailIn((it as { error?: unknown }).error)),
  )
  return errors[0] ?? detailIn(order.error)[0] ?? 'The authority refused the order.'
}

function detailIn(problem: unknown): string[] {
  const { detail } = (problem ?? {}) as { readonly detail?: unknown }
  return typeof detail === 'string' ? [detail] : []
}
