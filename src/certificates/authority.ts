/**
 * An authority that gives certificates, by ACME (RFC 8555) with the challenge HTTP-01. What
 * it says no to is a `Refused`; what else goes wrong may go well another time.
 */

import { Agent } from 'node:https'
import { rootCertificates } from 'node:tls'

import acme from 'acme-client'

import { SECOND } from '../lib/clock.ts'
import type { AcmeAccount, AcmeDirectory } from '../store/acme.ts'

/** In the authority's own words. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export interface Authority {
  /** Resolves to the account's URL. Idempotent. */
  register(): Promise<string>
  order(hostname: string): Promise<NewOrder>
  /** Has it ask for the answer. */
  tell(order: string): Promise<void>
  /** PEM; undefined: it has not decided yet. Asks for the certificate where it may. */
  fetch(order: string, hostname: string, privateKey: string): Promise<string | undefined>
}

export interface NewOrder {
  readonly url: string
  /** What it asks for, and the answer; null: it knows the domain to be ours already. */
  readonly token: string | null
  readonly keyAuthorization: string | null
}

const CALL = 20 * SECOND

/** As RFC 8555 has it (8.3): it becomes a path, and a word of a command to HAProxy. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/

export const newPrivateKey = async (): Promise<string> =>
  (await acme.crypto.createPrivateEcdsaKey()).toString()

/** `account.url` null: it must be registered before anything else. */
export function authorityOf(
  { url: directoryUrl, email, trusted }: AcmeDirectory,
  { privateKey: accountKey, url: accountUrl }: AcmeAccount,
): Authority {
  const { defaults, interceptors } = acme.axios
  // With these the library asks again for half a minute, and loses why nobody answered.
  interceptors.request.clear()
  interceptors.response.clear()
  defaults.timeout = CALL
  defaults.httpsAgent = new Agent({
    ca: trusted === null ? [...rootCertificates] : [...rootCertificates, trusted],
  })
  const client = new acme.Client({
    directoryUrl,
    accountKey,
    ...(accountUrl === null ? {} : { accountUrl }),
    // It is we who ask again later.
    backoffAttempts: 1,
  })

  return {
    register: () =>
      told(async () => {
        await client.createAccount({
          termsOfServiceAgreed: true,
          ...(email === null ? {} : { contact: [`mailto:${email}`] }),
        })
        return client.getAccountUrl()
      }),
    order: (hostname) =>
      told(async () => {
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
    tell: (url) =>
      told(async () => {
        const challenge = await openChallenge(client, await orderAt(client, url))
        if (challenge) await client.completeChallenge(challenge)
      }),
    fetch: (url, hostname, privateKey) =>
      told(async () => {
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

/** What is no answer of the authority's (axios's own errors) is thrown as it is. */
async function told<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Refused) throw error
    if ('isAxiosError' in error) throw error
    throw new Refused(error.message, { cause: error })
  }
}
