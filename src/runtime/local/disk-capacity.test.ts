import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { newId } from '../../model/ids.ts'
import { diskCapacity } from './disk-capacity.ts'
import { DISK_SIZE } from './disk.ts'
import { regionFiles } from './dyno-files.ts'

const MiB = 1024 ** 2
const HELD = 64 * MiB
/** What others may write to the same disk meanwhile. */
const OTHERS = 32 * MiB

const root = await mkdtemp(join(tmpdir(), 'mayfly-disk-'))
const [us, eu] = ['us', 'eu'].map((name) => regionFiles(join(root, name)))
assert.ok(us && eu)
after(() => rm(root, { recursive: true }))

test('what dynos hold of all regions is theirs, and the rest but for a reserve', async () => {
  for (const { directory, diskTemplate } of [us, eu]) {
    await mkdir(directory)
    await writeFile(diskTemplate, '')
  }
  const before = await diskCapacity(us)()
  assert.equal(before.diskOfDyno, DISK_SIZE)
  const { bavail, bsize } = await statfs(root)
  assert.ok(before.disk <= Math.max(0, bavail * bsize - 2048 * MiB + OTHERS))

  const { directory, image } = eu.of(newId<'dyno'>())
  await mkdir(directory)
  await writeFile(image, Buffer.alloc(HELD, 1))
  const afterwards = await diskCapacity(us)()
  assert.ok(Math.abs(afterwards.disk - before.disk) < OTHERS)
})

test('where disks have no limit there is no end', async () => {
  await rm(us.diskTemplate)
  assert.deepEqual(await diskCapacity(us)(), { disk: Infinity, diskOfDyno: 0 })
})
