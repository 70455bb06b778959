/** What a region's disks are made from, where the machine's own disk is full. It needs root. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { aSmallDisk } from '../../../test/a-small-disk.ts'
import { MiB } from '../../lib/bytes.ts'
import { silentLog } from '../../lib/log.ts'
import { prepareDisks } from './disk.ts'

test('a full disk takes the limit off no dyno', async (t) => {
  const disk = aSmallDisk(t, 64 * MiB)
  const template = join(disk.mount, 'disk-template')
  disk.fill()
  await assert.rejects(prepareDisks(template, silentLog), /ENOSPC|space/)
  assert.ok(!existsSync(template))
  disk.empty()

  await prepareDisks(template, silentLog)
  const before = readFileSync(template)
  disk.fill()
  const said: string[] = []
  const log = { ...silentLog, error: (message: string) => void said.push(message) }
  await prepareDisks(template, log)
  assert.deepEqual(readFileSync(template), before)
  assert.deepEqual(said, ['no disk could be mounted on trial: dynos may not start'])
  assert.deepEqual(readdirSync(disk.mount).toSorted(), ['disk-template', 'filler'])

  // Nor one that has none yet.
  rmSync(template)
  await assert.rejects(prepareDisks(template, silentLog), /ENOSPC|space|mount/)
  assert.ok(!existsSync(template))
})
