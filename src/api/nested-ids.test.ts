/**
 * What belongs to another tenant's app, named below one's own: the matrix asks about apps and
 * who calls, and ends there. Every route with an id below an app is here, or fails until it is.
 */

import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { type AnApi, anApi, type Json } from '../../test/an-api.ts'
import { anApp } from '../../test/an-app.ts'
import { aTenancy, type Tenancy } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { listing } from '../../test/whole-server.ts'

/** Places of a route that are filled by a name that every app has, or by none at all. */
const NAMES = ['type', 'feature', 'metric', 'it']

/** What a change is asked with. */
const certificate = await aCertificate(['theirs.example.com'])
const pem = {
  certificate_chain: certificate.certificate,
  private_key: certificate.privateKey,
}
const bodies: Readonly<Record<string, object>> = {
  'PATCH /apps/:app/domains/:domain': { sni_endpoint: null },
  'POST /apps/:app/dynos/:dyno': { command: 'env' },
  'PATCH /apps/:app/formation/:formation': { quantity: 2 },
  'POST /apps/:app/formation/:formation/monitors': {},
  'PATCH /apps/:app/formation/:formation/monitors/:monitor': { is_active: false },
  'PATCH /apps/:app/sni-endpoints/:endpoint': pem,
  'PATCH /apps/:app/webhooks/:webhook': { level: 'sync' },
  'PATCH /teams/apps/:app/collaborators/:collaborator': { permissions: ['view'] },
}

const ERRORS = 'GET /apps/:app/formation/:formation/metrics/errors'
const queries: Readonly<Record<string, string>> = {
  [ERRORS]: '?start_time=2026-01-01T00:00:00Z&end_time=2026-01-01T01:00:00Z&step=1m',
}
/** Where it is another than 404: the CLI knows it by that. */
const refusals: Readonly<Record<string, number>> = { [ERRORS]: 400 }

suite('what belongs to an app of another', () => {
  const pool = aDatabase()
  const routes: string[] = []
  let api: AnApi
  let tenancy: Tenancy
  let mine: string
  let theirs: string
  /** By the place that each stands in. */
  const ids: Record<string, string> = {}

  before(async () => {
    api = await anApi(pool, { before: [listing(routes)] })
    tenancy = await aTenancy(pool)
    const victim = await anApp(pool)
    await victim.deploy({ web: 'serve' })
    theirs = victim.app.name
    await asStranger('POST /teams', { name: 'strangers' })
    // A team's: there every route means something.
    const own = await asStranger('POST /teams/apps', { name: 'mine', team: 'strangers' })
    mine = String(own.body.name)
    await fill()
  })

  test('is known here, whatever the route', () => {
    const places = new Set(routes.flatMap(placesOf))
    const unknown = [...places].filter((it) => !NAMES.includes(it) && !ids[it])
    assert.deepEqual(unknown, [], `fill() of ${import.meta.filename} makes none of these`)
  })

  test('is not there below one’s own', async () => {
    const wrong: string[] = []
    for (const route of nested()) {
      const { status } = await asStranger(filled(route, mine), bodies[route])
      if (status !== (refusals[route] ?? 404)) wrong.push(`${route}: ${status}`)
    }
    assert.deepEqual(wrong, [])
  })

  test('is there below its own', async () => {
    for (const route of nested().filter((it) => it.startsWith('GET /apps'))) {
      assert.equal((await api.call(filled(route, theirs))).status, 200, route)
    }
  })

  function nested(): readonly string[] {
    return routes.filter((it) => placesOf(it).some((place) => !NAMES.includes(place)))
  }

  function filled(route: string, app: string): string {
    const path = route.replace(/:(\w+)/g, (_, place: string) =>
      place === 'app' ? app : (ids[place] ?? 'web'),
    )
    return path + (queries[route] ?? '')
  }

  function asStranger(request: string, body?: object) {
    const authorization = `Bearer ${tenancy.tokens['another tenant']}`
    return api.call(request, body, { authorization })
  }

  /** Makes one of everything that an app may have. */
  async function fill(): Promise<void> {
    const at = `/apps/${theirs}`
    const blob = { url: 'https://example.com/source.tgz' }
    const url = 'https://93.184.215.14/hook'
    const hook = { include: ['api:app'], level: 'notify', url }
    ids['build'] = await made(`POST ${at}/builds`, { source_blob: blob })
    ids['dyno'] = await made(`POST ${at}/dynos`, { command: 'env' })
    ids['formation'] = await first(`GET ${at}/formation`)
    ids['monitor'] = await made(`POST ${at}/formation/web/monitors`, {
      min_quantity: 1,
      max_quantity: 2,
    })
    ids['domain'] = await made(`POST ${at}/domains`, {
      hostname: 'theirs.example.com',
      sni_endpoint: null,
    })
    ids['endpoint'] = await made(`POST ${at}/sni-endpoints`, pem)
    ids['collaborator'] = await made(`POST ${at}/collaborators`, {
      user: 'member@example.com',
    })
    ids['webhook'] = await made(`POST ${at}/webhooks`, hook)
    await api.call(`PATCH ${at}`, { maintenance: true })
    ids['event'] = await first(`GET ${at}/webhook-events`)
    ids['delivery'] = await first(`GET ${at}/webhook-deliveries`)
    ids['release'] = await first(`GET ${at}/releases`)
    const { rows } = await pool.query<{ id: string }>('select id from slugs')
    ids['slug'] = String(rows[0]?.id)
  }

  async function made(request: string, body: object): Promise<string> {
    const answer = await api.call(request, body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return String(answer.body.id)
  }

  async function first(request: string): Promise<string> {
    const [one] = (await api.call(request)).body as unknown as Json[]
    assert.ok(one, request)
    return String(one.id)
  }
})

function placesOf(route: string): string[] {
  const [, below = ''] = route.split('/:app/')
  return [...below.matchAll(/:(\w+)/g)].map(([, place = '']) => place)
}
