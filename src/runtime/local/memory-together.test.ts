/** What the dynos of all regions together may have of the machine's memory, and what is told where it is not enough. */

import assert from 'node:assert/strict'
import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { MiB } from '../../lib/bytes.ts'
import { hierarchy, presentCgroups } from '../../lib/cgroup-mounts.ts'
import { memoryOfDynos } from '../../model/capacity.ts'
import { prepareCgroups } from './cgroups.ts'
import { machineMemory } from './memory-use.ts'

const { run, aSpec, options } = await aLocalRuntime()
const PAGE = 4096

function limitOfAll(): string {
  const cgroups = presentCgroups()
  const file = cgroups.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'
  return join(hierarchy(cgroups, 'memory'), `mayfly-${options.installation}`, file)
}

test('all dynos together leave the host what is reserved for it', () => {
  const limit = Number(readFileSync(limitOfAll(), 'utf8'))
  const most = memoryOfDynos(machineMemory())
  assert.ok(limit <= most && most - limit < PAGE, `${limit} of ${most}`)
})

test('who is killed because all together have no more is not told to have had too much', async (t) => {
  const before = readFileSync(limitOfAll(), 'utf8').trim()
  t.after(() => writeFileSync(limitOfAll(), before))
  writeFileSync(limitOfAll(), String(64 * MiB))
  const large = { ...aSpec('').size, hardMemory: 256 * MiB }
  const command = `exec python3 -c 'x = bytearray(100_000_000)'`
  const { status, outOfMemory, hostOutOfMemory } = await run(command, { size: large })
  assert.deepEqual([status, outOfMemory, hostOutOfMemory], [137, false, true])
})

test('of version 2, the limit is of the cgroup that all regions are in', async (t) => {
  const unified = mkdtempSync(join(tmpdir(), 'mayfly-cgroup-'))
  t.after(() => rmSync(unified, { recursive: true }))
  const hierarchies = new Map([['unified', unified]])
  const its = {
    version: 2,
    hybridMount: undefined,
    hierarchies,
    limitsSwap: true,
  } as const
  await prepareCgroups(its, 'mayfly-a/us', 1000.5)
  assert.equal(readFileSync(join(unified, 'mayfly-a', 'memory.max'), 'utf8'), '1000')
})
