import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryUseIn } from './memory-use.ts'

test('version 1 counts what is below too', () => {
  const stat = 'cache 1\nrss 2\nswap 3\ntotal_cache 10\ntotal_rss 20\ntotal_swap 30\n'
  assert.deepEqual(memoryUseIn(stat), { rss: 20, cache: 10, swap: 30 })
})

test('version 2 has other words, and its swap elsewhere', () => {
  assert.deepEqual(memoryUseIn('anon 20\nfile 10\n'), { rss: 20, cache: 10, swap: 0 })
})
