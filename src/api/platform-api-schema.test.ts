/**
 * Every resource is driven, and what it answers is held against Heroku's published schema.
 * The schema lies beside the repository, not in it: without it the answers are still driven.
 */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Ajv } from 'ajv'
import formats from 'ajv-formats'

import { aCertificate } from '../../test/a-certificate.ts'
import { anApi, type Json } from '../../test/an-api.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createAccount } from '../actions/create-account.ts'

const file = join(
  import.meta.dirname,
  '../../../shared/reference/platform-api-schema.json',
)
/** What we answer where Heroku has no word for it: why a release failed. */
const beyondHeroku = { failure: { type: ['string', 'null'] } }
const schema = existsSync(file) ? readSchema(readFileSync(file, 'utf8')) : undefined
const pool = aDatabase()

test('the schema is at hand', { skip: schema ? false : `${file} is missing` }, () => {
  assert.ok(schema)
})

test('what the API answers is what the schema says', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const app = `/apps/${made.app.name}`
  await createAccount(pool, { email: 'friend@example.com', name: null })

  const its = await aCertificate(['www.example.com'])
  const pem = { certificate_chain: its.certificate, private_key: its.privateKey }
  const requests: [string, object?][] = [
    ['GET /account'],
    ['PATCH /account', { name: 'Dev' }],
    ['GET /account/rate-limits'],
    ['GET /users/~/apps'],
    ['GET /apps'],
    ['POST /apps', { name: 'another-app', region: 'eu' }],
    [`GET ${app}`],
    [`PATCH ${app}`, { maintenance: true }],
    ['GET /regions'],
    ['GET /regions/us'],
    ['GET /stacks'],
    ['GET /stacks/debian-12'],
    ['GET /dyno-sizes'],
    ['GET /dyno-sizes/standard-1x'],
    [`GET ${app}/formation`],
    [`GET ${app}/formation/web`],
    [`PATCH ${app}/formation`, { updates: [{ type: 'web', quantity: '+1' }] }],
    [`PATCH ${app}/formation/worker`, { size: 'standard-2x' }],
    [`POST ${app}/dynos`, { command: 'bash', attach: true, env: { COLUMNS: 80 } }],
    [`POST ${app}/dynos`, { command: 'bash' }],
    [`GET ${app}/dynos`],
    [`POST ${app}/formations/run/actions/stop`],
    [`DELETE ${app}/dynos`],
    [`DELETE ${app}/formations/web`],
    [`POST ${app}/formations/web/actions/stop`],
    [`GET ${app}/config-vars`],
    [`PATCH ${app}/config-vars`, { FOO: 'bar' }],
    [`GET ${app}/releases`],
    [`GET ${app}/releases/3`],
    [`GET ${app}/releases/3/config-vars`],
    [`POST ${app}/releases`, { release: 'v3' }],
    [
      `PUT ${app}/buildpack-installations`,
      { updates: [{ buildpack: 'https://example.com/b.git' }] },
    ],
    [`GET ${app}/buildpack-installations`],
    [`POST ${app}/log-sessions`, { lines: 10, tail: true }],
    [
      `POST ${app}/webhooks`,
      { include: ['api:release'], level: 'sync', url: 'https://198.41.0.4/' },
    ],
    [`GET ${app}/webhooks`],
    // It makes a release, which is told.
    [`PATCH ${app}/config-vars`, { FOO: 'baz' }],
    [`GET ${app}/webhook-deliveries`],
    [`GET ${app}/collaborators`],
    [`POST ${app}/domains`, { hostname: 'www.example.com', sni_endpoint: null }],
    [`GET ${app}/domains`],
    [`GET ${app}/domains/www.example.com`],
    [`POST ${app}/sni-endpoints`, pem],
    [`GET ${app}/sni-endpoints`],
    [`PATCH ${app}/domains/www.example.com`, { sni_endpoint: null }],
    [`GET ${app}/addons`],
    [`GET ${app}/features`],
    [`GET ${app}/features/preboot`],
    [`PATCH ${app}/features/preboot`, { enabled: true }],
    ['GET /account/features'],
    [`POST ${app}/collaborators`, { user: 'friend@example.com' }],
    [`GET ${app}/collaborators/friend@example.com`],
    [`DELETE ${app}/collaborators/friend@example.com`],
    ['POST /teams', { name: 'crew' }],
    ['GET /teams'],
    ['GET /teams/crew'],
    ['GET /teams/permissions'],
    ['GET /teams/crew/features'],
    ['PUT /teams/crew/members', { email: 'friend@example.com', role: 'member' }],
    ['PATCH /teams/crew/members', { email: 'friend@example.com', role: 'collaborator' }],
    ['GET /teams/crew/members'],
    ['POST /teams/apps', { name: 'crew-app', team: 'crew' }],
    ['GET /teams/crew/apps'],
    ['GET /teams/apps/crew-app'],
    [
      'POST /teams/apps/crew-app/collaborators',
      { user: 'friend@example.com', permissions: ['deploy'] },
    ],
    ['GET /teams/apps/crew-app/collaborators'],
    [
      'PATCH /teams/apps/crew-app/collaborators/friend@example.com',
      { permissions: ['operate'] },
    ],
    ['DELETE /teams/apps/crew-app/collaborators/friend@example.com'],
    ['PATCH /teams/apps/crew-app', { locked: true }],
    ['PATCH /teams/apps/crew-app', { owner: 'dev@example.com' }],
    ['DELETE /teams/crew/members/friend@example.com'],
    ['DELETE /teams/crew'],
    ['POST /account/app-transfers', { app: 'crew-app', recipient: 'friend@example.com' }],
    ['GET /account/app-transfers'],
    ['GET /account/app-transfers/crew-app'],
    ['DELETE /account/app-transfers/crew-app'],
    ['POST /oauth/authorizations', { scope: ['read'], expires_in: 60 }],
    ['PATCH /oauth/authorizations/~', { description: 'renamed' }],
    ['GET /oauth/authorizations'],
    ['GET /oauth/authorizations/~'],
    ['DELETE /apps/another-app'],
  ]
  for (const [request, body] of requests) {
    const { status, body: answer } = await call(request, body)
    assert.ok(status < 300, `${request}: ${status} ${JSON.stringify(answer)}`)
    validate(request, answer)
  }
})

function validate(request: string, answer: Json): void {
  if (!schema) return
  const [method = '', path = ''] = request.split(' ')
  const link = schema.links.find((it) => it.method === method && it.path.test(path))
  assert.ok(link, `the schema knows no ${request}`)
  const valid = schema.ajv.compile(link.target)
  assert.ok(valid(answer), `${request}: ${JSON.stringify(valid.errors, undefined, 1)}`)
}

interface Link {
  readonly method: string
  readonly path: RegExp
  readonly target: object
}

function readSchema(text: string): { readonly ajv: Ajv; readonly links: Link[] } {
  const root = strictly(JSON.parse(text)) as {
    readonly definitions: Record<string, { readonly links?: Record<string, unknown>[] }>
  }
  const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(root, 'platform')
  const links = Object.entries(root.definitions).flatMap(([noun, { links: its = [] }]) =>
    its.map((link) => linkTo(noun, link)),
  )
  // `/users/~/apps` is not `/users/{account}/apps`: fewest placeholders first.
  const placeholders = (it: Link) => it.path.source.split('[^').length
  return { ajv, links: links.toSorted((a, b) => placeholders(a) - placeholders(b)) }
}

function linkTo(noun: string, link: Record<string, unknown>): Link {
  const whole = { $ref: `platform#/definitions/${noun}` }
  const listed = link['rel'] === 'instances' ? { type: 'array', items: whole } : whole
  const target = JSON.stringify(link['targetSchema'] ?? listed)
  return {
    method: String(link['method']).toUpperCase(),
    path: new RegExp(`^${String(link['href']).replace(/\{[^}]*\}/g, '[^/]+')}$`),
    target: JSON.parse(
      target.replaceAll('"#/definitions', '"platform#/definitions'),
    ) as object,
  }
}

/**
 * Heroku's draft 4 in today's words: `strictProperties` means that all properties are there
 * and no others. Left out are words that carry no rule, and those that only Heroku can meet.
 */
function strictly(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strictly)
  if (typeof node !== 'object' || node === null) return node
  const kept = Object.entries(node).filter(
    ([key, value]) =>
      !['example', '$schema', 'strictProperties'].includes(key) &&
      !(
        (key === 'id' || key === 'format') &&
        typeof value === 'string' &&
        !uuidOrTime(value)
      ) &&
      !(key === 'pattern' && /heroku/.test(String(value))),
  )
  const result = Object.fromEntries(kept.map(([key, value]) => [key, strictly(value)]))
  if (!('strictProperties' in node) || !('properties' in node)) return result
  const names = Object.keys(node.properties as object)
  const properties = { ...(result['properties'] as object), ...beyondHeroku }
  return { ...result, properties, required: names, additionalProperties: false }
}

function uuidOrTime(format: string): boolean {
  return format === 'uuid' || format === 'date-time'
}
