import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MiB } from '../lib/bytes.ts'
import { later, MINUTE } from '../lib/clock.ts'
import type { AppId, DynoId } from './ids.ts'
import { memoryMetrics } from './memory-lines.ts'
import { type Sample, verdictOn, type Watched } from './memory-rule.ts'
import { type Size, sizeNamed } from './size.ts'

const startedAt = new Date('2026-01-01T00:00:00Z')
const now = later(startedAt, 10 * MINUTE)

interface Case {
  readonly what: string
  readonly use?: Partial<Sample>
  readonly dyno?: Partial<Watched>
  readonly size?: string
  readonly is: Partial<Record<'overQuota' | 'restart' | 'kill', true>>
}

const cases: readonly Case[] = [
  { what: 'as much as the quota', use: { rss: 512 * MiB }, is: {} },
  { what: 'a byte more', use: { rss: 512 * MiB + 1 }, is: { overQuota: true } },
  {
    what: 'swap and tmpfs count',
    use: { rss: 500 * MiB, swap: 7 * MiB, shared: 6 * MiB },
    is: { overQuota: true },
  },
  {
    what: 'a dedicated size has no R14',
    use: { rss: 2600 * MiB },
    size: 'Performance-M',
    is: {},
  },
  {
    what: 'the kernel killed a part of it',
    use: { outOfMemory: true },
    is: { kill: true },
  },
  {
    what: 'above the share that the app set',
    use: { rss: 470 * MiB },
    dyno: { restartAbove: 0.9 },
    is: { restart: true },
  },
  {
    what: 'below it',
    use: { rss: 460 * MiB },
    dyno: { restartAbove: 0.9 },
    is: {},
  },
  {
    what: 'too young to be restarted for memory',
    use: { rss: 470 * MiB },
    dyno: { restartAbove: 0.9, startedAt: later(startedAt, 1) },
    is: {},
  },
  {
    what: 'still starting',
    use: { rss: 470 * MiB },
    dyno: { restartAbove: 0.9, state: 'starting' },
    is: {},
  },
  {
    what: 'a one-off is not restarted',
    use: { rss: 600 * MiB },
    dyno: { restartAbove: 0.9, isOneOff: true },
    is: { overQuota: true },
  },
]

for (const { what, use, dyno, size, is } of cases) {
  test(what, () => {
    const verdict = verdictOn(
      { rss: 0, shared: 0, swap: 0, outOfMemory: false, ...use },
      { state: 'up', startedAt, isOneOff: false, restartAbove: undefined, ...dyno },
      { size: aSize(size), now },
    )
    const { overQuota, restart, kill } = verdict
    const none = { overQuota: false, restart: false, kill: false }
    assert.deepEqual({ overQuota, restart, kill }, { ...none, ...is })
  })
}

test('metrics are told as Heroku tells them', () => {
  const dyno = { app: 'a1' as AppId, id: 'd1' as DynoId, ps: 'web.1' }
  const sample = { rss: 21.22 * MiB, cache: 0, swap: 0 }
  assert.equal(
    memoryMetrics(dyno, { ...sample, pages: { in: 348836, out: 343403 } }, aSize()),
    'source=web.1 dyno=heroku.a1.d1 sample#memory_total=21.22MB sample#memory_rss=21.22MB sample#memory_cache=0.00MB sample#memory_swap=0.00MB sample#memory_pgpgin=348836pages sample#memory_pgpgout=343403pages sample#memory_quota=512.00MB',
  )
  assert.ok(!memoryMetrics(dyno, sample, aSize()).includes('pgpg'))
})

function aSize(name = 'Standard-1X'): Size {
  const size = sizeNamed(name)
  assert.ok(size)
  return size
}
