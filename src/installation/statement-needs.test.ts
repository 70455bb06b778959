import assert from 'node:assert/strict'
import { test } from 'node:test'

import { statementNeeds } from './statement-needs.ts'

const tables = new Set(['apps', 'dynos', 'events', 'work'])

const rows: readonly (readonly [string, Record<string, string>])[] = [
  ["'select 1 from apps join dynos on true'", { apps: 'select', dynos: 'select' }],
  [
    "'select from apps a, work, dynos d where true'",
    { apps: 'select', work: 'select', dynos: 'select' },
  ],
  ["'delete from apps'", { apps: 'delete' }],
  ["'delete from apps where id = $1'", { apps: 'delete select' }],
  ["'insert into events (app) values ($1)'", { events: 'insert' }],
  ["'insert into events (app) values ($1) returning id'", { events: 'insert select' }],
  ["'update apps set name = $1'", { apps: 'update name' }],
  ["'update apps a set name = $1 from dynos'", { apps: 'update name', dynos: 'select' }],
  [
    '`update apps set name = coalesce($1, f(a, b)),\n  (owner, locked) = ($2, $3)\n where id = $4`',
    { apps: 'select update locked,name,owner' },
  ],
  [
    '`insert into work (id) values ($1)\n on conflict (id)\n do update set run_at = least(work.run_at, now()), wakes = work.wakes + 1`',
    { work: 'insert select update run_at,wakes' },
  ],
  [
    "`with gone as (update apps set name = (select 'x' from dynos) returning id)\n select id from gone`",
    { apps: 'select update name', dynos: 'select' },
  ],
  ["'select from apps where id = $1 for no key update'", { apps: 'lock select' }],
  [
    "'select from dynos join apps on true for update of dynos skip locked'",
    { apps: 'select', dynos: 'lock select' },
  ],
  [
    "'select from dynos d join apps a on true for key share of d'",
    { apps: 'select', dynos: 'lock select' },
  ],
  ["'apps a join dynos on true'", { apps: 'select', dynos: 'select' }],
  ["'select from elsewhere'", {}],
  ['select from apps', {}],
]

test('statements need of the database what they do there', () => {
  for (const [text, expected] of rows) {
    const is = [...statementNeeds([`query(${text})`], tables)].map(([table, verbs]) => {
      const words = [...verbs]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .flatMap(([verb, columns]) => {
          const list = [...columns].toSorted().join(',')
          return list === '' ? [verb] : [verb, list]
        })
      return [table, words.join(' ')] as const
    })
    assert.deepEqual(Object.fromEntries(is), expected, text)
  }
})

test('a statement that hides what it changes is none of ours', () => {
  for (const text of ['insert into ${it} (a)', 'update ${it} set a = 1']) {
    assert.throws(() => statementNeeds([`query(\`${text}\`)`], tables), /does not name/)
  }
})
