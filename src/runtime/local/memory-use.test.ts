import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryFiguresIn } from './memory-use.ts'

test('version 1 counts what is below too', () => {
  const stat = `cache 1\nrss 2\nshmem 1\nswap 3\npgpgin 4
total_cache 10\ntotal_rss 20\ntotal_shmem 5\ntotal_swap 30\ntotal_pgpgin 40\ntotal_pgpgout 50\n`
  const figures = { rss: 20, cache: 10, shared: 5, swap: 30, pages: { in: 40, out: 50 } }
  assert.deepEqual(memoryFiguresIn(stat), figures)
})

test('version 2 has other words, its swap elsewhere, and no count of pages', () => {
  const stat = 'anon 20\nfile 10\nshmem 5\npgfault 9\n'
  assert.deepEqual(memoryFiguresIn(stat), { rss: 20, cache: 10, shared: 5, swap: 0 })
})
