import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { DynoId } from '../../model/ids.ts'
import { dynoCgroups } from './cgroups.ts'
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

for (const version of [1, 2] as const) {
  test(`of version ${version}, an out-of-memory kill inside is seen`, () => {
    const root = mkdtempSync(join(tmpdir(), 'mayfly-cgroup-'))
    const at = join(root, 'us', 'd1', 'dyno')
    mkdirSync(at, { recursive: true })
    const write = (name: string, text: string) => writeFileSync(join(at, name), text)
    const hierarchies = new Map([[version === 1 ? 'memory' : 'unified', root]])
    const others = new Map([...hierarchies, ['pids', root], ['cpu', root]])
    const group = dynoCgroups(
      { version, hybridMount: undefined, hierarchies: others, limitsSwap: true },
      'us',
      'd1' as DynoId,
    )
    try {
      assert.deepEqual([group.memoryUse(), group.memoryKill()], [undefined, undefined])
      write('memory.stat', version === 1 ? 'total_rss 7\ntotal_swap 3\n' : 'anon 7\n')
      write('memory.swap.current', '3\n')
      const kills = (count: number) => {
        write(
          'memory.oom_control',
          `oom_kill_disable 0\nunder_oom 0\noom_kill ${count}\n`,
        )
        write('memory.limit_in_bytes', '10000000')
        write('memory.max_usage_in_bytes', '9999000')
        write('memory.events', `max 9\noom 9\noom_kill ${count}\noom_group_kill 0\n`)
        return group.memoryUse()
      }
      const none = { rss: 7, cache: 0, shared: 0, swap: 3, outOfMemory: false }
      assert.deepEqual(kills(0), none)
      assert.equal(group.memoryKill(), 'none')
      assert.deepEqual(kills(1), { ...none, outOfMemory: true })
      assert.equal(group.memoryKill(), 'limit')
      write('memory.max_usage_in_bytes', '5000000')
      write('memory.events', 'max 0\noom 0\noom_kill 1\noom_group_kill 0\n')
      assert.equal(group.memoryKill(), 'host')
    } finally {
      rmSync(root, { recursive: true })
    }
  })
}
