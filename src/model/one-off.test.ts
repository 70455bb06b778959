import assert from 'node:assert/strict'
import { test } from 'node:test'

import { freeOrdinal, sizeOfOneOff, spelledOut } from './one-off.ts'

const processTypes = { web: 'node index.js', migrate: 'rake db:migrate' }
const spellings: readonly [command: string, meant: string][] = [
  ['migrate', 'rake db:migrate'],
  ['migrate --to 7', 'rake db:migrate --to 7'],
  ['  migrate', 'rake db:migrate'],
  ['migrate ; echo done', 'rake db:migrate ; echo done'],
  ['migrate; echo done', 'migrate; echo done'],
  ['bash', 'bash'],
  ['echo migrate', 'echo migrate'],
  ['constructor', 'constructor'],
  ['migrate\nbash', 'rake db:migrate\nbash'],
]
for (const [command, meant] of spellings) {
  test(`${JSON.stringify(command)} means ${JSON.stringify(meant)}`, () => {
    assert.equal(spelledOut(command, processTypes), meant)
  })
}

const tiers: readonly [sizes: readonly string[], size: string][] = [
  [[], 'Standard-1X'],
  [['Eco', 'Eco'], 'Eco'],
  [['Basic'], 'Basic'],
  [['Standard-2X', 'Performance-M'], 'Standard-1X'],
]
for (const [sizes, size] of tiers) {
  test(`beside ${sizes.join(' and ') || 'nothing'} it is ${size}`, () => {
    assert.equal(sizeOfOneOff(sizes.map((it) => ({ size: it }))), size)
  })
}

test('a number is one of up to four digits that nobody has', () => {
  const all = Array.from({ length: 9_999 }, (_, index) => index + 1)
  assert.equal(freeOrdinal(all.filter((it) => it !== 4_711)), 4_711)
  for (let tries = 0; tries < 100; tries++) {
    const ordinal = freeOrdinal([])
    assert.ok(ordinal >= 1 && ordinal <= 9_999)
  }
})
