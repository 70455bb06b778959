import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AppFormation } from './app-formation.ts'
import { formationChanges } from './formation-changes.ts'
import type { AppId, FormationId } from './ids.ts'

const at = new Date('2026-01-01T00:00:00Z')

function web(but: Partial<AppFormation> = {}): AppFormation {
  return {
    id: 'web' as FormationId,
    app: 'app' as AppId,
    type: 'web',
    quantity: 1,
    size: 'Basic',
    command: 'a',
    createdAt: at,
    updatedAt: at,
    ...but,
  }
}

const cases: [string, AppFormation[], AppFormation[], object[]][] = [
  ['nothing', [web()], [web()], []],
  [
    'another quantity',
    [web()],
    [web({ quantity: 2 })],
    [{ action: 'update', previous: { quantity: 1 } }],
  ],
  [
    'another size and command',
    [web()],
    [web({ size: 'Eco', command: 'b' })],
    [{ action: 'update', previous: { size: 'Basic', command: 'a' } }],
  ],
  ['a new type', [], [web()], [{ action: 'update', previous: {} }]],
  [
    'a type that comes back',
    [web({ command: null, quantity: 0 })],
    [web()],
    [{ action: 'update', previous: {} }],
  ],
  [
    'a type that goes',
    [web()],
    [web({ command: null, quantity: 0 })],
    [{ action: 'destroy', previous: { quantity: 1, command: 'a' } }],
  ],
  ['a type that is long gone', [web({ command: null })], [web({ command: null })], []],
]
for (const [what, before, after, changes] of cases) {
  test(what, () => {
    const expected = changes.map((it) => ({ ...it, formation: after[0] }))
    assert.deepEqual(formationChanges(before, after), expected)
  })
}
