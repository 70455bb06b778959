/** Whatever is sent to any route by somebody who may: an answer, and never that it is our fault. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anApi } from '../../test/an-api.ts'
import { aTenancy } from '../../test/a-tenancy.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { aDatabase } from '../../test/postgres.ts'
import { listing } from '../../test/whole-server.ts'

const pool = aDatabase()
const RUNS = fuzzRuns({ usual: 500, soaked: 60_000 })

/** Without what these destroy, app, team and token, there would be nothing left to try. */
const LEFT_OUT = [
  'DELETE /apps/:app',
  'DELETE /teams/:team',
  'DELETE /oauth/authorizations/:authorization',
  'POST /oauth/authorizations/:authorization/actions/regenerate-tokens',
]

const names =
  `name stack region account team app user email role permissions hostname sni_endpoint certificate_chain private_key
  quantity size type updates command attach env slug release buildpack source_blob url version description expires_in scope
  enabled maintenance build_stack include level secret authorization lines tail dyno recipient owner locked value op
  min_quantity max_quantity is_active process_types commit checksum acm_refresh
  login password new_password code refuse`.split(/\s+/)

/** Of what a GET is asked. */
const queried = [
  'start_time',
  'end_time',
  'step',
  'process_type',
  'extended',
  'kind',
  'dyno',
  'login',
  'code',
  'eq[status]',
]

const words = [
  'web',
  'worker',
  'us',
  'debian-12',
  'Standard-1X',
  '+1',
  '-1',
  'www.example.com',
  '*.example.com',
  'https://example.com/a.tgz',
  'owner',
  'member',
  '\0',
  'a\0b',
  '\ud800',
  '__proto__',
  "'; drop table apps; --",
  '%00',
  '../../etc/passwd',
  '9'.repeat(40),
  '2026-13-45T99:99:99Z',
  '-1',
  'NaN',
  '~',
  '*',
]

const text = fc.oneof(
  fc.constantFrom(...words),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.uuid(),
)
const leaf = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt().map(Number),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), text), tie('tree'), { maxKeys: 5 }),
  ),
}))
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...names), tree, { maxKeys: 6 })
      .map((it) => JSON.stringify(it)),
  },
  { weight: 2, arbitrary: tree.map((it) => JSON.stringify(it)) },
  {
    weight: 2,
    arbitrary: mutated(
      fc
        .dictionary(fc.constantFrom(...names), leaf, { maxKeys: 4 })
        .map((it) => JSON.stringify(it)),
    ),
  },
)

/** Some bytes of it changed, dropped or doubled. */
function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }))
  return fc
    .tuple(texts, fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([whole, changes]) => {
      let bytes = [...Buffer.from(whole)]
      for (const [where, byte, how] of changes) {
        const at = where % (bytes.length + 1)
        const instead = [[byte], [], [byte, bytes[at] ?? 0]][how] ?? []
        bytes = [...bytes.slice(0, at), ...instead, ...bytes.slice(at + 1)]
      }
      return Buffer.from(bytes).toString('latin1')
    })
}

test('nothing that is sent is answered as a fault of ours', async (t) => {
  const all: string[] = []
  const { server } = await anApi(pool, {
    before: [listing(all)],
    allowance: { requestsPerHour: 1e9 },
  })
  const routes = all.filter((it) => !LEFT_OUT.includes(it))
  const tenancy = await aTenancy(pool)
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom<'personal app' | 'team app'>('personal app', 'team app'),
      fc.array(text, { minLength: 4, maxLength: 4 }),
      body,
      fc.option(text, { freq: 6 }),
      fc.dictionary(fc.constantFrom(...queried), text, { maxKeys: 4 }),
      async (nth, place, parameters, payload, range, query) => {
        const [method, path] = routes[nth % routes.length]?.split(' ') ?? []
        assert.ok(method && path)
        let left = parameters
        const url = path
          .replace(':app', tenancy.apps[place])
          .replace(':team', tenancy.team)
          .replace(/:\w+|\*/g, () => {
            const [first = '', ...rest] = left
            left = rest
            return encodeURIComponent(first.toWellFormed())
          })
        const asked = new URLSearchParams()
        for (const [name, value] of Object.entries(query))
          asked.append(name, value.toWellFormed())
        const caller = place === 'personal app' ? 'owner' : 'team admin'
        const answer = await server.inject({
          method: method as 'POST',
          url: method === 'GET' ? `${url}?${asked.toString()}` : url,
          headers: {
            accept: 'application/vnd.heroku+json; version=3',
            authorization: `Bearer ${tenancy.tokens[caller] ?? ''}`,
            'content-type': 'application/json',
            ...(range === null
              ? {}
              : { range: encodeURIComponent(range.toWellFormed()) }),
          },
          ...(method === 'GET' ? {} : { payload }),
        })
        const { statusCode } = answer
        statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
        assert.ok(
          statusCode < 500,
          `${method} ${url}?${asked.toString()}: ${answer.body}`,
        )
      },
    ),
    RUNS,
  )
  const told = [...statuses].toSorted(([a], [b]) => a - b)
  t.diagnostic(told.map(([status, count]) => `${status}: ${count}`).join(', '))
  // Else nothing but the outermost layer would have been tried.
  assert.ok((statuses.get(422) ?? 0) > 0 && told.some(([status]) => status < 300))
})
