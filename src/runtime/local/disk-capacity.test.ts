import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { MiB } from '../../lib/bytes.ts'
import { hasDiskRoom } from '../../lib/disk-room.ts'
import { newId } from '../../model/ids.ts'
import { diskCapacity } from './disk-capacity.ts'
import { DISK_SIZE } from './disk.ts'
import { regionFiles } from './dyno-files.ts'

const HELD = 64 * MiB
/** What directories and other small things take meanwhile. */
const SMALL = MiB

const root = await mkdtemp(join(tmpdir(), 'mayfly-disk-'))
// Of its own: others write to the machine's meanwhile.
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8g', 'tmpfs', root])
const [us, eu] = ['us', 'eu'].map((name) => regionFiles(join(root, name)))
assert.ok(us && eu)
after(async () => {
  execFileSync('umount', [root])
  await rm(root, { recursive: true })
})

test('what dynos hold of all regions is theirs, and the rest but for a reserve', async () => {
  for (const { directory, diskTemplate } of [us, eu]) {
    await mkdir(directory)
    await writeFile(diskTemplate, '')
  }
  const before = await diskCapacity(us)()
  assert.equal(before.diskOfDyno, DISK_SIZE)
  const { bavail, bsize } = await statfs(root)
  assert.ok(before.disk <= Math.max(0, bavail * bsize - 2048 * MiB + SMALL))

  const { directory, image } = eu.of(newId<'dyno'>())
  await mkdir(directory)
  await writeFile(image, Buffer.alloc(HELD, 1))
  const afterwards = await diskCapacity(us)()
  assert.ok(Math.abs(afterwards.disk - before.disk) < SMALL)
})

test('a disk of few files has room for nobody else, and what dynos hold stays theirs', async () => {
  const directory = join(root, 'few')
  await mkdir(directory)
  const options = 'size=64g,nr_inodes=100k'
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  try {
    assert.equal(await hasDiskRoom(directory), true)
    const region = regionFiles(join(directory, 'us'))
    await mkdir(region.directory)
    await writeFile(region.diskTemplate, '')
    const dyno = region.of(newId<'dyno'>())
    await mkdir(dyno.directory)
    await writeFile(dyno.image, Buffer.alloc(MiB, 1))
    assert.equal((await diskCapacity(region)()).disk, MiB)
    assert.equal(await hasDiskRoom(directory, { bytes: 0, files: 50_000 }), false)
    assert.equal(
      await hasDiskRoom(directory, { bytes: 63 * 1024 * MiB, files: 0 }),
      false,
    )
  } finally {
    execFileSync('umount', [directory])
  }
})

test('where disks have no limit there is no end', async () => {
  await rm(us.diskTemplate)
  assert.deepEqual(await diskCapacity(us)(), { disk: Infinity, diskOfDyno: 0 })
})
