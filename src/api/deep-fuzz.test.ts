/**
 * Requests that are right but for a part or two, about apps that run something: so that what comes
 * after the first refusals is reached too. An answer, and never that it is our fault.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { aCertificate } from '../../test/a-certificate.ts'
import { anApi } from '../../test/an-api.ts'
import { secrets } from '../../test/an-app.ts'
import { aTenancy, type Tenancy } from '../../test/a-tenancy.ts'
import { aRunningDyno } from '../../test/a-running-dyno.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createRelease } from '../actions/create-release.ts'
import { newId } from '../model/ids.ts'
import { findFormation } from '../store/app-formations.ts'
import { findApp } from '../store/apps.ts'
import { inTransaction } from '../store/queryable.ts'
import { addSlug } from '../store/slugs.ts'

const pool = aDatabase()
const RUNS = fuzzRuns({ usual: 500, soaked: 60_000 })

const certificate = await aCertificate(['www.example.com'])
const SPAN = {
  start_time: '2026-01-01T00:00:00Z',
  end_time: '2026-01-01T01:00:00Z',
  step: '1m',
}
const COMMAND = {
  command: 'env',
  attach: false,
  env: { COLUMNS: 80 },
  size: 'Standard-1X',
  type: 'run',
  time_to_live: 60,
}
const HOOK = {
  include: ['api:release', 'dyno'],
  level: 'notify',
  url: 'https://93.184.215.14/hook',
  secret: 's',
}
const SCALING = {
  min_quantity: 1,
  max_quantity: 2,
  value: 500,
  is_active: true,
  name: 'LATENCY_SCALE',
}

type Place = 'personal app' | 'team app'

interface Shape {
  readonly body?: object
  readonly query?: Readonly<Record<string, string>>
}

/** Words in capitals stand for what the app has. None of these gives the app away, or destroys it. */
const shapes: Readonly<Record<string, Shape>> = {
  'PATCH /apps/APP/formation': {
    body: {
      updates: [
        { type: 'web', quantity: '+1', size: 'Standard-2X' },
        { type: 'worker', quantity: 1 },
      ],
    },
  },
  'PATCH /apps/APP/formation/web': {
    body: { quantity: 2, dyno_size: { name: 'Standard-1X' } },
  },
  'GET /apps/APP/formation/web/metrics/errors': {
    query: { ...SPAN, process_type: 'web' },
  },
  'POST /apps/APP/formation/web/monitors': { body: SCALING },
  'PATCH /apps/APP/formation/web/monitors/MONITOR': { body: SCALING },
  'GET /apps/APP/router-metrics/latency': { query: { ...SPAN, process_type: 'web' } },
  'POST /apps/APP/dynos': { body: COMMAND },
  'POST /apps/APP/dynos/DYNO': { body: COMMAND },
  'GET /apps/APP/dynos': { query: { extended: 'true' } },
  'GET /apps/APP/dynos/DYNO': { query: { extended: 'true' } },
  'DELETE /apps/APP/dynos/DYNO': {},
  'POST /apps/APP/dynos/RUN/actions/stop': {},
  'POST /apps/APP/formations/worker/actions/stop': {},
  'GET /apps/APP/events': { query: { kind: 'dyno.up', dyno: 'web.1' } },
  'POST /apps/APP/webhooks': { body: HOOK },
  'PATCH /apps/APP/webhooks/WEBHOOK': {
    body: { ...HOOK, level: 'sync', authorization: null },
  },
  'GET /apps/APP/webhook-deliveries': { query: { 'eq[status]': 'pending' } },
  'POST /apps/APP/builds': {
    body: {
      source_blob: { url: 'https://example.com/a.tgz', version: 'v1', checksum: null },
      buildpacks: [{ name: 'heroku/nodejs' }],
    },
  },
  'POST /apps/APP/releases': { body: { slug: 'SLUG', description: 'again' } },
  'GET /apps/APP/releases': {},
  'PATCH /apps/APP/config-vars': { body: { A: 'b', B: null } },
  'POST /apps/APP/log-sessions': {
    body: { tail: true, lines: 10, dyno: 'web.1', source: 'app', type: 'web' },
  },
  'PATCH /apps/APP': { body: { maintenance: true, build_stack: 'debian-12' } },
  'PUT /apps/APP/buildpack-installations': {
    body: { updates: [{ buildpack: 'heroku/nodejs' }] },
  },
  'PATCH /apps/APP/features/preboot': { body: { enabled: true } },
  'PATCH /apps/APP/sni-endpoints/ENDPOINT': {
    body: {
      certificate_chain: certificate.certificate,
      private_key: certificate.privateKey,
    },
  },
  'PATCH /apps/APP/domains/www.example.com': { body: { sni_endpoint: 'ENDPOINT' } },
}
const routes = Object.keys(shapes)

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    'web',
    'worker',
    'release',
    'Eco',
    'Performance-L',
    '+1',
    '-1',
    '0',
    '\0',
    '__proto__',
    '9'.repeat(40),
    '2026-13-45T99:99:99Z',
    '0s',
    '~',
    '*',
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.uuid(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 3 }),
)
/** What becomes of the nth place: something else, or nothing. A third of all requests stay as they are. */
const change = fc.record({
  place: fc.nat({ max: 20 }),
  instead: fc.option(leaf, { freq: 4, nil: undefined }),
})
const changes = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) },
)
type Change = typeof change extends fc.Arbitrary<infer It> ? It : never

test('nothing that is nearly right is answered as a fault of ours', async (t) => {
  const { server, as } = await anApi(pool, {
    allowance: { requestsPerHour: 1e9 },
  })
  const tenancy = await aTenancy(pool)
  const has = {
    'personal app': await furnished('personal app'),
    'team app': await furnished('team app'),
  }
  const well = new Map(routes.map((it) => [it, 0]))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom<Place>('personal app', 'team app'),
      changes,
      async (nth, place, all) => {
        const route = routes[nth % routes.length] ?? ''
        const { body, query } = shapes[route] ?? {}
        const [method = '', url = ''] = filled(route, has[place]).split(' ')
        const asked = new URLSearchParams()
        for (const [name, value] of Object.entries(changed(query ?? {}, all)))
          asked.append(name, textOf(value))
        const answer = await server.inject({
          method: method as 'POST',
          url: `${url}?${asked.toString()}`,
          headers: {
            accept: 'application/vnd.heroku+json; version=3',
            authorization: `Bearer ${tenancy.tokens.owner ?? ''}`,
            'content-type': 'application/json',
          },
          ...(body && {
            payload: JSON.stringify(
              changed(
                JSON.parse(filled(JSON.stringify(body), has[place])) as object,
                all,
              ),
            ),
          }),
        })
        const { statusCode } = answer
        assert.ok(statusCode < 500, `${route}: ${answer.body}`)
        if (statusCode < 300) well.set(route, (well.get(route) ?? 0) + 1)
      },
    ),
    {
      ...RUNS,
      // Each as it is, before chance changes them.
      examples: routes.flatMap((_, nth): [number, Place, Change[]][] => [
        [nth, 'personal app', []],
        [nth, 'team app', []],
      ]),
    },
  )
  t.diagnostic([...well].map(([route, count]) => `${route}: ${count}`).join(', '))
  // Else it ended before what this is about.
  assert.deepEqual(
    [...well].filter(([, count]) => count === 0),
    [],
  )

  /** One of everything, in an app that runs. */
  async function furnished(place: Place) {
    const asOwner = as(tenancy.tokens.owner)
    const { app, slug, web } = await deployed(tenancy, place)
    const { id } = app
    const made = async (request: string, body: object) => {
      const answer = await asOwner(request.replace('APP', id), body)
      assert.ok(answer.status < 300, `${request}: ${JSON.stringify(answer.body)}`)
      return String(answer.body.id)
    }
    await made('PATCH /apps/APP/formation', {
      updates: [{ type: 'web', quantity: 1, size: 'Standard-1X' }],
    })
    const host = place === 'personal app' ? 'www.example.com' : 'team.example.com'
    await made('POST /apps/APP/domains', { hostname: host, sni_endpoint: null })
    return {
      APP: id,
      SLUG: slug,
      RUN: await made('POST /apps/APP/dynos', COMMAND),
      DYNO: await aRunningDyno(pool, { app, formation: web }, new Date()),
      // The other app's is yet to be made: there is one of an app.
      MONITOR:
        place === 'team app'
          ? await made('POST /apps/APP/formation/web/monitors', SCALING)
          : newId(),
      WEBHOOK: await made('POST /apps/APP/webhooks', HOOK),
      ENDPOINT: await made('POST /apps/APP/sni-endpoints', {
        certificate_chain: certificate.certificate,
        private_key: certificate.privateKey,
      }),
    }
  }
})

function filled(text: string, has: Readonly<Record<string, string>>): string {
  return text.replace(/\b[A-Z]{3,}\b/g, (it) => has[it] ?? it)
}

/** As it may stand in a URL. */
function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.toWellFormed()
}

/** Counts its places, within lists and objects too. */
function changed(whole: object, all: readonly Change[]): object {
  let place = 0
  const walked = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walked)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, value]) => {
        const here = all.find((it) => it.place === place)
        place += 1
        if (!here) return [[key, walked(value)]]
        return here.instead === undefined ? [] : [[key, here.instead]]
      }),
    )
  }
  return walked(whole) as object
}

/** What a push makes of it. */
async function deployed({ accounts, apps }: Tenancy, place: Place) {
  const slug = newId<'slug'>()
  const app = await findApp(pool, apps[place])
  assert.ok(app)
  await inTransaction(pool, async (tx) => {
    await addSlug(tx, {
      id: slug,
      app: app.id,
      stack: app.stack,
      commit: null,
      commitDescription: null,
      buildpackProvidedDescription: null,
      processTypes: { web: 'serve', worker: 'work' },
      checksum: null,
      size: null,
    })
    const its = { app: app.id, account: accounts.owner, description: 'Deploy', slug }
    await createRelease(tx, { ...its, configVars: {} }, secrets)
  })
  const web = (await findFormation(pool, app.id, 'web'))?.id
  assert.ok(web)
  return { app, slug, web }
}
