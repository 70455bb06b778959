import assert from 'node:assert/strict'
import { test } from 'node:test'

import { namedColumns, statementNeeds } from './statement-needs.ts'

const tables = new Set(['apps', 'dynos', 'events', 'work'])

const rows: readonly (readonly [string, Record<string, string>])[] = [
  ["'select 1 from apps join dynos on true'", { apps: 'select', dynos: 'select' }],
  [
    "'select from apps a, work, dynos d where true'",
    { apps: 'select', work: 'select', dynos: 'select' },
  ],
  ["'delete from apps'", { apps: 'delete' }],
  ["'delete from apps where id = $1'", { apps: 'delete select' }],
  ["'insert into events (app) values ($1)'", { events: 'insert app' }],
  [
    `'insert into events (app, "at") values ($1, $2) returning id'`,
    { events: 'insert "at",app select' },
  ],
  ["'update apps set name = $1'", { apps: 'update name' }],
  ["'update apps a set name = $1 from dynos'", { apps: 'update name', dynos: 'select' }],
  [
    '`update apps set name = coalesce($1, f(a, b)),\n  (owner, locked) = ($2, $3)\n where id = $4`',
    { apps: 'select update locked,name,owner' },
  ],
  [
    '`insert into work (id) values ($1)\n on conflict (id)\n do update set run_at = least(work.run_at, now()), wakes = work.wakes + 1`',
    { work: 'insert id select update run_at,wakes' },
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
    assert.throws(
      () => statementNeeds([`query(\`${text}\`)`], tables),
      /does not name its table/,
    )
  }
})

test('so is one that adds rows and does not say what it fills', () => {
  for (const text of ['insert into apps values ($1)', 'insert into apps select 1'])
    assert.throws(() => statementNeeds([`query('${text}')`], tables), /name its columns/)
})

test('columns are named by a statement, or by a part of one, but not to fill them', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["'select name from apps'", ['name']],
    ['`select ${columns} from apps`', []],
    ["const columns = 'id, owner'; `select ${columns} from apps`", ['owner']],
    ["'insert into apps (name, owner) values ($1, $2)'", []],
    ["'insert into apps (name) values ($1) returning name'", ['name']],
    ["'update apps set name = $1, owner = $2 where id = $3'", []],
    ["'update apps set (name, owner) = ($1, $2)'", []],
    ["'update apps a set name = coalesce($1, name) from dynos'", ['name']],
    ["'update apps set name = $1 where owner = $2'", ['owner']],
    ["'insert into apps (id) values (1) on conflict (id) do update set name = $1'", []],
    ["'select name from dynos'; 'select from apps'", []],
    ["const tables = 'dynos d join apps'; 'select name from ${tables}'", ['name']],
    ["const found = 'name, (select from dynos)'; 'select from apps'", ['name']],
    ["'select a.* from apps a'", ['name', 'owner']],
    ["'update apps set owner = $1 returning *'", ['name', 'owner']],
    ["'select * from dynos'", []],
    ['name', []],
  ]
  for (const [text, expected] of cases)
    assert.deepEqual(
      [...namedColumns([text], { table: 'apps', columns: ['name', 'owner'], tables })],
      expected,
      text,
    )
})
