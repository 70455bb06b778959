/** Who is told by HTTP of what happens to an app, and in which words. */

import type { Account } from './app.ts'
import type { AppId, Id } from './ids.ts'
import { namedId } from './named-id.ts'

export type WebhookId = Id<'webhook'>
export type WebhookEventId = Id<'webhook event'>
export type DeliveryId = Id<'webhook delivery'>
export type AttemptId = Id<'webhook attempt'>

export interface Webhook {
  readonly id: WebhookId
  readonly app: AppId
  readonly include: readonly Include[]
  readonly level: Level
  readonly url: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/**
 * `notify`: one try, whatever comes of it. `sync`: one after the other in their order, each
 * tried again until it succeeds or is too old.
 */
export type Level = 'notify' | 'sync'

export const MOST_WEBHOOKS = 10

/** What can be heard of. `docs/api/webhooks.md` lists the same; a test compares. */
export const INCLUDES = [
  'api:app',
  'api:collaborator',
  'api:domain',
  'api:dyno',
  'api:formation',
  'api:release',
  'dyno',
] as const

export type Include = (typeof INCLUDES)[number]

export function isInclude(text: string): text is Include {
  return INCLUDES.some((it) => it === text)
}

/** Something that happened, for whichever webhooks of the app hear of it. */
export interface Happening {
  readonly app: AppId
  readonly at: Date
  readonly include: Include
  readonly action: 'create' | 'update' | 'destroy'
  readonly actor: Account
  /** The resource as the Platform API answers it now. */
  readonly data: object
  /** What was otherwise before. */
  readonly previousData?: object
}

/** Who does what nobody asked for. */
export const PLATFORM = {
  id: namedId('account', 'mayfly'),
  email: 'platform@mayfly.invalid',
} as Account

/** The body of an event's requests, but for what belongs to a delivery and an attempt. */
export interface Payload {
  readonly id: WebhookEventId
  readonly action: Happening['action']
  readonly actor: { readonly id: string; readonly email: string }
  readonly created_at: string
  readonly data: object
  readonly previous_data: object
  /** When it happened: attempts that are made later do not change it. */
  readonly published_at: string | null
  /** `release`: the include without its prefix. */
  readonly resource: string
  readonly sequence: null
  readonly updated_at: string
  readonly version: string
}

export function payloadOf(id: WebhookEventId, it: Happening): Payload {
  const at = it.at.toISOString()
  return {
    id,
    action: it.action,
    actor: { id: it.actor.id, email: it.actor.email },
    created_at: at,
    data: withShortCommand(it.data),
    previous_data: withShortCommand(it.previousData ?? {}),
    published_at: at,
    resource: it.include.replace('api:', ''),
    sequence: null,
    updated_at: at,
    version: 'application/vnd.heroku+json; version=3',
  }
}

/** Letters. A dyno is told of four times at least, and what was told is kept. */
const LONGEST_COMMAND = 1000

function withShortCommand(resource: object): object {
  const { command } = resource as { readonly command?: unknown }
  if (typeof command !== 'string' || command.length <= LONGEST_COMMAND) return resource
  // Cut between two halves of a letter, the database would not take it.
  const beginning = command.slice(0, LONGEST_COMMAND - 1).toWellFormed()
  return { ...resource, command: `${beginning}…` }
}

const LONGEST_URL = 2000

/** What is wrong with where a webhook's requests shall go, in a sentence; undefined if nothing is. */
export function faultOfUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    return 'url must be an http or https URL.'
  }
  if (url.username !== '' || url.password !== '') {
    return 'url must not contain a user or password; use authorization.'
  }
  if (text.length > LONGEST_URL) return `url is longer than ${LONGEST_URL} characters.`
  return undefined
}
