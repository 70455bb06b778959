import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MiB } from '../lib/bytes.ts'
import { limitsFrom } from './limits-file.ts'
import { HEROKU_LIMITS } from './limits.ts'
import { sizeNamed } from './size.ts'

test('what is not said is as on Heroku', () => {
  assert.deepEqual(limitsFrom('{}'), HEROKU_LIMITS)
})

test('a size changes in what is said of it', () => {
  const { sizes, dynosPerApp } = limitsFrom(
    JSON.stringify({
      sizes: {
        'Standard-1X': { memory: 768, perType: 20, openFiles: 4096 },
        'Performance-M': { memory: 1024, hardMemory: 1536, openFiles: 20_000 },
      },
      limits: { dynosPerApp: 250 },
    }),
  )
  assert.equal(dynosPerApp, 250)
  const [small, large] = [
    sizeNamed('standard-1x', sizes),
    sizeNamed('performance-m', sizes),
  ]
  assert.deepEqual([small?.memory, small?.hardMemory], [768 * MiB, 1536 * MiB])
  assert.deepEqual([large?.memory, large?.hardMemory], [1024 * MiB, 1536 * MiB])
  assert.equal(small?.processes, 256)
  assert.deepEqual([small?.openFiles, small?.hardOpenFiles], [4096, 4096])
  assert.deepEqual([large?.openFiles, large?.hardOpenFiles], [20_000, 100_000])
  assert.equal(sizes.find((it) => it.name === 'Standard-1X')?.perType, 20)
  assert.equal(sizes.length, HEROKU_LIMITS.sizes.length)
})

for (const [text, fault] of [
  ['{', /JSON/],
  ['[]', /must be an object/],
  ['{"size": {}}', /no setting size/],
  ['{"sizes": {"Huge": {}}}', /no size Huge, only Eco, Basic/],
  ['{"sizes": {"Eco": {"ram": 1}}}', /Eco has no ram/],
  ['{"sizes": {"Eco": {"memory": "512"}}}', /memory of Eco must be a whole number/],
  ['{"sizes": {"Eco": {"memory": 512, "hardMemory": 256}}}', /must not be less/],
  [
    '{"sizes": {"Eco": {"hardOpenFiles": 5000}}}',
    /hardOpenFiles of Eco must not be less/,
  ],
  ['{"limits": {"appsPerAccount": 0}}', /appsPerAccount of limits must be/],
] as const) {
  test(`${text} is not understood`, () => {
    assert.throws(() => limitsFrom(text), fault)
  })
}
