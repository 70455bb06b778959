import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { until, untilSeen } from '../../test/until.ts'
import { SECOND, systemClock } from '../lib/clock.ts'
import { endParts } from './control-plane.ts'
import { dataDirectory } from './data-directory.ts'
import { keepPart, runningPart } from './keep-part.ts'
import { isAlive, type LivingProcess } from './living-process.ts'
import type { PartSpec } from './parts.ts'
import { strayPart } from './strays.ts'

test('parts are kept on a full disk, and written down once there is room', async (t) => {
  const disk = aSmallDisk(t, 1 << 20)
  const data = dataDirectory(join(disk.mount, 'data'))
  mkdirSync(data.run('supervisor'), { recursive: true })
  mkdirSync(data.programLogs)
  const [before, later] = ['before', 'later'].map(aPart)
  assert.ok(before && later)
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const stop = new AbortController()
  const kept = [keepPart(before, keeping, stop.signal)]
  const born = await untilSeen('it runs', () => runningPart(data, 'before'))

  disk.fill()
  kept.push(keepPart(later, keeping, stop.signal))
  process.kill(born.pid, 'SIGKILL')
  const running: LivingProcess[] = []
  for (const part of [before, later]) {
    await until('that is told', () => said.some((it) => isOfFullDisk(part, it)))
    running.push(await untilSeen('it runs as a stray', () => strayPart(part)))
    assert.equal(runningPart(data, part.name), undefined)
  }

  disk.empty()
  for (const [at, part] of [before, later].entries()) {
    const { pid } = await untilSeen('it runs', () => runningPart(data, part.name))
    assert.equal(pid, running[at]?.pid)
  }
  assert.equal(runningPart(data, 'before')?.restarts, 1)
  stop.abort()
  await Promise.all(kept)
  await endParts([before, later], data)
  assert.deepEqual(running.filter(isAlive), [])

  function aPart(name: string): PartSpec {
    return {
      name,
      command: ['sleep', '1000'],
      environment: { MAYFLY_DATA: data.root, MAYFLY_PART: name },
      needs: undefined,
      ends: { signal: 'SIGTERM', patience: 10 * SECOND },
      endsWhole: true,
      outlivesUp: false,
      address: '',
      isReady: async () => true,
    }
  }
})

const isOfFullDisk = ({ name }: PartSpec, sentence: string) =>
  sentence.startsWith(`${name} can't be looked after: ENOSPC: no space left on device`)
