/** What belongs to another tenant, named in the body of a request about one's own: answered as what is not there. */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, suite, test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { type AnApi, anApi, type Json } from '../../test/an-api.ts'
import { anApp } from '../../test/an-app.ts'
import { aTenancy, type Tenancy } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'

const certificate = await aCertificate(['theirs.example.com'])
const pem = {
  certificate_chain: certificate.certificate,
  private_key: certificate.privateKey,
}

/** `:mine` is one's own app. */
const requests: readonly (readonly [string, Kind, (id: string) => object])[] = [
  ['POST /apps/:mine/releases', 'slug', (slug) => ({ slug })],
  ['POST /apps/:mine/releases', 'slug', (id) => ({ slug: { id } })],
  ['POST /apps/:mine/releases', 'release', (release) => ({ release })],
  ['POST /apps/:mine/releases', 'release', (id) => ({ release: { id } })],
  [
    'PATCH /apps/:mine/formation',
    'formation',
    (type) => ({ updates: [{ type, quantity: 1 }] }),
  ],
  [
    'POST /apps/:mine/domains',
    'endpoint',
    (sni_endpoint) => ({ hostname: 'theirs.example.com', sni_endpoint }),
  ],
  [
    'PATCH /apps/:mine/domains/mine.example.com',
    'endpoint',
    (sni_endpoint) => ({ sni_endpoint }),
  ],
  [
    'POST /account/app-transfers',
    'app',
    (app) => ({ app, recipient: 'dev@example.com' }),
  ],
  [
    'POST /account/app-transfers',
    'app',
    (id) => ({ app: { id }, recipient: 'dev@example.com' }),
  ],
  ['POST /teams/apps', 'team', (team) => ({ name: 'in-theirs', team })],
]
type Kind = 'slug' | 'release' | 'formation' | 'endpoint' | 'app' | 'team'

suite('what belongs to another, in a body', () => {
  const pool = aDatabase()
  let api: AnApi
  let tenancy: Tenancy
  let mine: string
  let theirs: string
  let ids: Readonly<Record<Kind, string>>

  before(async () => {
    api = await anApi(pool)
    tenancy = await aTenancy(pool)
    const victim = await anApp(pool)
    await victim.deploy({ web: 'serve' })
    theirs = `/apps/${victim.app.name}`
    await asStranger('POST /teams', { name: 'strangers' })
    const own = await asStranger('POST /apps', { name: 'mine' })
    mine = String(own.body.name)
    await asStranger(`POST /apps/${mine}/domains`, {
      hostname: 'mine.example.com',
      sni_endpoint: null,
    })
    const { rows } = await pool.query<{ id: string }>('select id from slugs')
    const team = await pool.query<{ id: string }>(
      'select id from accounts where name = $1 or id in (select id from teams where name = $1)',
      [tenancy.team],
    )
    ids = {
      slug: String(rows[0]?.id),
      release: await last(`GET ${theirs}/releases`),
      formation: await last(`GET ${theirs}/formation`),
      endpoint: String((await api.call(`POST ${theirs}/sni-endpoints`, pem)).body.id),
      app: victim.app.id,
      team: String(team.rows[0]?.id),
    }
  })

  for (const [request, kind, body] of requests) {
    test(`${request} ${JSON.stringify(body(`their ${kind}`))}`, async () => {
      const [id, nobodys] = [ids[kind], randomUUID()]
      assert.match(id, /^[0-9a-f-]{36}$/)
      const answer = await answerTo(request, body, id)
      const wanted = await answerTo(request, body, nobodys)
      assert.deepEqual(answer, wanted)
      assert.ok([404, 422].includes(answer.status), `${answer.status} ${answer.told}`)
    })
  }

  test('nothing of it has come to be anybody else`s', async () => {
    const releases = (await asStranger(`GET /apps/${mine}/releases`)).body
    assert.doesNotMatch(JSON.stringify(releases), new RegExp(ids.slug))
    const domains = (await asStranger(`GET /apps/${mine}/domains`)).body
    assert.doesNotMatch(JSON.stringify(domains), /theirs\.example\.com/)
    const { owner } = (await api.call(`GET ${theirs}`)).body
    assert.match(JSON.stringify(owner), /dev@example\.com/)
  })

  /** Without the id that it was about. */
  async function answerTo(request: string, body: (id: string) => object, id: string) {
    const answer = await asStranger(request.replace(':mine', mine), body(id))
    const told = JSON.stringify(answer.body).replaceAll(id, 'it')
    return { status: answer.status, told }
  }

  function asStranger(request: string, body?: object) {
    const authorization = `Bearer ${tenancy.tokens['another tenant']}`
    return api.call(request, body, { authorization })
  }

  async function last(request: string): Promise<string> {
    const one = ((await api.call(request)).body as unknown as Json[]).at(-1)
    assert.ok(one, request)
    return String(one.id)
  }
})
