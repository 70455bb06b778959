import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { Problem } from '../model/problem.ts'
import { parseRange, partOf } from './range.ts'

const ordinary = {
  property: 'version',
  from: '',
  after: false,
  to: '',
  max: 200,
  descending: false,
}

const cases: [string, Partial<typeof ordinary>][] = [
  ['', {}],
  ['version ..; max=1, order=desc', { max: 1, descending: true }],
  ['version ..; order=desc,max=1', { max: 1, descending: true }],
  ['version ..;max=15,order=asc', { max: 15 }],
  ['id ..; max=1000;', { property: 'id', max: 1000 }],
  ['id ..; max=5000', { property: 'id', max: 1000 }],
  ['id ]0123-45..; max=2', { property: 'id', from: '0123-45', after: true, max: 2 }],
  [']0123-45..', { from: '0123-45', after: true }],
  ['version 3..7', { from: '3', to: '7' }],
  ['version ..; max=0', {}],
  ['nonsense', {}],
  ['id  ] 7 .. 9 ; max=2', { property: 'id', from: '7', after: true, to: '9', max: 2 }],
  ['7..9..', { from: '7', to: '9..' }],
]

for (const [header, range] of cases) {
  test(`Range: ${header}`, () => {
    assert.deepEqual(parseRange(header, ['version', 'id']), { ...ordinary, ...range })
  })
}

test('a header full of spaces is read at once', () => {
  // Half an hour, if each way is tried to share them among the parts of a range.
  const spaces = ' '.repeat(15_000)
  for (const header of [`id${spaces}x`, `${'\u00a0'.repeat(15_000)}x`, `id${spaces}]x`]) {
    assert.deepEqual(parseRange(header, ['version', 'id']), ordinary)
  }
  const options = `id ..; max${spaces}=${spaces}7${spaces}!`
  assert.equal(parseRange(options, ['id']).max, 200)
})

test('a range of what the list is not sorted by is refused, but for the id', () => {
  assert.throws(
    () => parseRange('bogus ..; max=1', ['version', 'name']),
    new Problem(
      'requested_range_not_satisfiable',
      'This list has no range of "bogus", only of version, name.',
    ),
  )
  assert.equal(parseRange('id ..; max=1000', ['version']).property, 'version')
})

test('the parts, one after the other, are the whole list in order', () => {
  const versions = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 50 })
  const max = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(versions, max, fc.boolean(), (all, most, descending) => {
      const items = all.map((version) => ({ version }))
      const seen: number[] = []
      let header: string | undefined =
        `version ..; max=${most}, order=${descending ? 'desc' : 'asc'}`
      while (header) {
        const range = parseRange(header, ['version'])
        const { part, next }: ReturnType<typeof partOf<{ version: number }>> = partOf(
          items,
          range,
        )
        assert.ok(part.length <= most)
        seen.push(...part.map((it) => it.version))
        header = next
      }
      const sorted = all.toSorted((a, b) => (descending ? b - a : a - b))
      assert.deepEqual(seen, sorted)
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})
