import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { expandCommand } from './dyno-environment.ts'
import { LONGEST_LINE } from './log-line.ts'

const environment = { A: 'apple', EMPTY: '' }
const shown: readonly [command: string, as: string][] = [
  ['echo $A', 'echo apple'],
  ['echo ${A}s', 'echo apples'],
  ['echo ${A:-pear} ${B:-pear}', 'echo apple pear'],
  ['echo [$EMPTY] [${EMPTY:-full}]', 'echo [] []'],
  ['echo $B ${B} $ ${} $$', 'echo $B ${B} $ ${} $$'],
  ['echo ${B:-}', 'echo '],
  ['echo ${B:-$A', 'echo ${B:-apple'],
  ['echo ${B:-${A}}', 'echo ${A}'],
  ['echo $constructor ${__proto__}', 'echo $constructor ${__proto__}'],
]
for (const [command, as] of shown) {
  test(`${command} is shown as ${as}`, () => {
    assert.equal(expandCommand(command, environment), as)
  })
}

test('it is what one expression would make of it, were there time', () => {
  const reference = /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g
  const pieces = fc.constantFrom('$', '{', '}', ':-', ':', 'A', 'B', 'EMPTY', ' ', '\n')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const command = parts.join('')
      const expected = command.replaceAll(
        reference,
        (written, plain?: string, braced?: string, otherwise?: string) =>
          new Map(Object.entries(environment)).get(plain ?? braced ?? '') ??
          otherwise ??
          written,
      )
      assert.equal(expandCommand(command, environment), expected)
    }),
    fuzzRuns({ usual: 2000, soaked: 100_000 }),
  )
})

test('what opens again and again and is never closed takes no longer for it', () => {
  // A search to the end from each of them takes minutes.
  const command = '${a:-'.repeat(200_000)
  assert.equal(expandCommand(command, {}), command.slice(0, LONGEST_LINE))
  const last = `${command}}`
  assert.equal(expandCommand(last, {}).length, LONGEST_LINE)
})

test('no more is made of a command than a line shows', () => {
  const A = 'x'.repeat(32_000)
  assert.equal(expandCommand('$A'.repeat(16_000), { A }), A.slice(0, LONGEST_LINE))
  assert.equal(
    expandCommand(`${'$A'.repeat(16_000)} y`, { A: '' }),
    ' y',
    'what comes to nothing is not shown',
  )
})
