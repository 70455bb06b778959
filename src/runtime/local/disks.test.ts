/** What dynos write on: their own disks, and volumes, each with its limit. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { loopDevices } from '../../../test/a-local-machine.ts'
import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { until } from '../../../test/until.ts'
import { MiB } from '../../lib/bytes.ts'
import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import type { Copy } from '../runtime.ts'
import { SLUG_UID } from './address.ts'
import { DISK_SIZE, writeDisk } from './disk.ts'
import { machineNames } from './machine-names.ts'

const { signal } = new AbortController()
const { options, runtime, files, started, outputOf, aSpec } = await aLocalRuntime()

test('what a dyno writes at /app and /tmp ends at a limit, bytes and files alike', async () => {
  const size = { ...aSpec('').size, hardMemory: 64 * MiB }
  const command = `df -B1 --output=target,size,itotal /app /tmp | tail -n +2
    fallocate -l 3G /app/a 2>/dev/null || echo full
    head -c 40M /dev/zero 2>/dev/null >/tmp/a || echo full`
  const text = await outputOf(command, { size })
  const [app = [], tmp = []] = text.split('\n').map((line) => line.split(/ +/))
  assert.equal(app[0], '/app')
  assert.ok(Number(app[1]) > 0.95 * DISK_SIZE && Number(app[1]) <= DISK_SIZE)
  assert.ok(Number(app[2]) > 0)
  assert.deepEqual(tmp.slice(0, 2), ['/tmp', String(32 * MiB)])
  assert.match(text, /full\nfull\n$/)
})

test('a disk is given back when its dyno ends, whether or not anyone is there to see', async () => {
  const dyno = await started('echo x >/app/x; sleep 1000')
  assert.ok((await loopDevices()).includes(dyno.id))
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(dyno.id))
  for (const file of ['pid', 'monitorPid'] as const) {
    process.kill(Number(await readFile(files.of(dyno.id)[file], 'utf8')), 'SIGKILL')
  }
  await until('its disk is gone', async () => !(await loopDevices()).includes(dyno.id))
  await runtime.remove(dyno.id, signal)
})

test('where no disk can be mounted, a dyno writes beside it', async () => {
  const aside = `${files.diskTemplate}.aside`
  await rename(files.diskTemplate, aside)
  assert.equal(await outputOf('echo here >/app/x; cat /app/x'), 'here\n')
  await rename(aside, files.diskTemplate)
})

test('a disk from the template is a whole file system', async () => {
  const image = join(options.root, 'a-disk')
  assert.equal(writeDisk(files.diskTemplate, image), true)
  // What is missing has a wrong checksum.
  execFileSync('e2fsck', ['-fn', image], { stdio: 'pipe' })
  // Of the spare superblocks the last.
  const last = ['-o', 'superblock=294912', '-o', 'blocksize=4096']
  execFileSync('dumpe2fs', ['-h', ...last, image], { stdio: 'pipe' })
  await rm(image)
})

const most = { bytes: Infinity, files: Infinity }

const copyOut = (to: string, upTo: Copy['most']) =>
  until('it is copied out', () =>
    runtime.copyOut({ from: 'limited', to, most: upTo }, signal),
  )

test('a volume with a limit ends there, is kept from dyno to dyno, and can be copied out', async () => {
  const limit = 64 * MiB
  const volumes = [{ from: 'limited', at: '/cache', writable: true, limit }]
  await mkdir(join(options.root, 'limited'))
  const first = `echo kept >/cache/file; ln -s /etc/passwd /cache/link
    fallocate -l 80M /cache/large 2>/dev/null || echo full; rm -f /cache/large`
  assert.equal(await outputOf(first, { volumes }), 'full\n')
  assert.equal(
    await outputOf('ls /cache; cat /cache/file', { volumes }),
    'file\nlink\nkept\n',
  )

  // The directory is one, too.
  await assert.rejects(copyOut('copy', { bytes: Infinity, files: 2 }), {
    code: 'too_many_files',
  })
  await mkdir(join(options.root, 'small'))
  const disk = ['-t', 'tmpfs', '-o', 'size=2g,nr_inodes=1000', 'tmpfs', 'small']
  execFileSync('mount', disk, { cwd: options.root })
  try {
    await assert.rejects(copyOut('small/copy', most), { code: 'no_disk_room' })
  } finally {
    execFileSync('umount', ['small'], { cwd: options.root })
  }

  await copyOut('copy', most)
  const copy = join(options.root, 'copy')
  assert.equal(await readFile(join(copy, 'file'), 'utf8'), 'kept\n')
  assert.equal(await readlink(join(copy, 'link')), '/etc/passwd')
  assert.equal(statSync(join(copy, 'file')).uid, SLUG_UID)
  await rm(join(copy, 'file'))
  await until('it is copied out', () =>
    runtime.copyOut({ from: 'limited', to: 'copy', most }, signal),
  )
  assert.deepEqual(readdirSync(copy), ['link'])
})

test('a volume whose disk the machine let down begins anew', async () => {
  const volumes = [{ from: 'torn', at: '/cache', writable: true, limit: 64 * MiB }]
  await outputOf('echo old >/cache/file', { volumes })
  const image = await open(join(options.root, 'torn', 'disk'), 'r+')
  await image.write(Buffer.from([0, 0]), 0, 2, 1024 + 0x3a) // as a disk is while mounted
  await image.close()
  assert.equal(await outputOf('ls /cache', { volumes }), '')
})

test('dynos share the disk as they share the processors: by their size', async (t) => {
  const io = presentCgroups().hierarchies.get('blkio')
  const dyno = aSpec('sleep 1000')
  const size = { ...dyno.size, cpuShare: 2 }
  await runtime.start({ ...dyno, size }, signal)
  const { cgroup } = machineNames(options.installation, options.region)
  const at = join(io ?? '/sys/fs/cgroup', cgroup, dyno.id)
  const weight = ['blkio.bfq.weight', 'blkio.weight', 'io.bfq.weight', 'io.weight']
    .map((file) => join(at, file))
    .find((file) => existsSync(file))
  if (weight === undefined) t.diagnostic('this kernel weighs no I/O')
  else assert.match(readFileSync(weight, 'utf8'), /\b200\n/)
  await runtime.remove(dyno.id, signal)
})

test('where no disk can be mounted, a volume has no limit', async () => {
  const aside = `${files.diskTemplate}.aside`
  await rename(files.diskTemplate, aside)
  const volumes = [{ from: 'free', at: '/build', writable: true, limit: MiB }]
  const command = 'head -c 2M /dev/zero >/build/file && echo written'
  assert.equal(await outputOf(command, { volumes }), 'written\n')
  await rename(aside, files.diskTemplate)
  await until('it is copied out', () =>
    runtime.copyOut({ from: 'free', to: 'copied', most }, signal),
  )
  assert.equal(statSync(join(options.root, 'copied', 'file')).size, 2 * MiB)
})

test('volumes: one is read, the other written, by an owner of no account', async () => {
  await mkdir(join(options.root, 'in'))
  await mkdir(join(options.root, 'out'))
  await writeFile(join(options.root, 'in/text'), 'given')
  const volumes = [
    { from: 'in', at: '/source', writable: false },
    { from: 'out', at: '/build', writable: true },
  ]
  const command =
    'cat /source/text; touch /source/x 2>/dev/null || echo; cp /source/text /build/'
  assert.equal(await outputOf(command, { volumes }), 'given\n')
  const out = join(options.root, 'out/text')
  assert.equal(readFileSync(out, 'utf8'), 'given')
  assert.equal(statSync(out).uid, SLUG_UID)
})
