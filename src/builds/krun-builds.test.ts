/**
 * Builds in a region whose dynos are virtual machines, krun's: what one writes is held to the same walls. Where
 * there is no krun, or it starts none, they are skipped with the reason.
 */

import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { aLocalMachine } from '../../test/a-local-machine.ts'
import { tarball, type TarEntry } from '../../test/a-tarball.ts'
import { until, untilSeen } from '../../test/until.ts'
import { MiB } from '../lib/bytes.ts'
import type { Build } from '../model/build.ts'
import { newId } from '../model/ids.ts'
import { SLUG_UID } from '../runtime/local/address.ts'
import { LocalRuntime } from '../runtime/local/local-runtime.ts'
import { whyNoMachine } from '../runtime/local/try-machine.ts'
import type { DynoSpec } from '../runtime/runtime.ts'
import { buildDyno, compiledBy, SLUG_LIMIT } from './build-dyno.ts'

const skip = (await whyNoMachine()) ?? false
const { signal } = new AbortController()
/** In place of gigabytes, so that little fills it. */
const SPACE = 64 * MiB
const machine = await aLocalMachine()
const { options, address } = machine
const { root } = options
const runtime = new LocalRuntime({ ...options, ociRuntime: () => 'krun' })
/** All builds are of one. */
const app = newId<'app'>()
let built = 0

before(async () => {
  await runtime.prepare(signal)
  const builtIns = join(import.meta.dirname, '../../buildpacks')
  await cp(builtIns, join(root, 'buildpacks'), { recursive: true })
  await mkdir(join(root, 'slugs'))
})
after(async () => {
  await rm(join(root, 'slugs'), { recursive: true })
  await machine.close()
})

interface Begun {
  readonly dyno: DynoSpec
  readonly facts: Pick<Build, 'id'>
}

test(
  'krun: a build leaves a slug, nothing of which is anybody`s of this machine, and what it cached for the next',
  { skip },
  async () => {
    const source: readonly TarEntry[] = [
      { name: 'Procfile', content: 'web: ./run\n' },
      { name: 'bin/', type: '5', mode: 0o755 },
      { name: 'bin/run', mode: 0o6755, content: 'x' },
      { name: 'secret', mode: 0o600, content: 'x' },
      { name: 'link', type: '2', link: '/source' },
      { name: 'again', type: '1', link: 'bin/run' },
      { name: 'pipe', type: '6' },
    ]
    const first = await begun(
      source,
      `cat /source/env/GREETING >/dev/stderr
       (umask 077; echo kept >/cache/kept); mknod /cache/null c 1 3 || chown 0 /cache/kept
       . /buildpacks/compile; chmod 4755 /build/app/bin/run; mv /build/app/secret /build/app/found`,
    )
    const { status, said } = await ended(first)
    assert.equal(status, 0, said)
    assert.match(said, /^hello/)
    assert.match(said, /mknod: .* not permitted\nchown: .* not permitted\n/)
    assert.match(said, /-----> Procfile app detected\n/)

    const slug = join('slugs', first.facts.id)
    const copy = { from: compiledBy(first.facts), to: slug, most: SLUG_LIMIT }
    await until('it is copied out', () => runtime.copyOut(copy, signal))
    const files = join(root, slug, 'app')
    assert.deepEqual(
      readdirSync(files).toSorted(),
      ['Procfile', 'again', 'bin', 'found', 'link', 'pipe'].toSorted(),
    )
    for (const name of [
      '.',
      ...readdirSync(files, { recursive: true, encoding: 'utf8' }),
    ]) {
      const { uid, gid } = lstatSync(join(files, name))
      assert.deepEqual([uid, gid], [SLUG_UID, SLUG_UID], name)
    }
    const modeOf = (name: string) => lstatSync(join(files, name)).mode & 0o7777
    assert.deepEqual(
      ['bin', 'bin/run', 'found', 'Procfile'].map(modeOf),
      [0o755, 0o4755, 0o600, 0o644],
    )
    assert.equal(
      lstatSync(join(files, 'again')).ino,
      lstatSync(join(files, 'bin/run')).ino,
    )
    assert.equal(readFileSync(join(root, slug, 'Procfile'), 'utf8'), 'web: ./run\n')

    const next = await ended(await begun(source, 'cat /cache/kept; exit 3'))
    assert.deepEqual([next.status, next.said], [3, 'kept\n'])
  },
)

test('krun: a build that fills its disk fails, and says so', { skip }, async () => {
  const source: TarEntry = { name: 'a', content: Buffer.alloc(2 * SPACE) }
  const { status, said } = await ended(await begun([source], 'exec /buildpacks/compile'))
  assert.equal(status, 1)
  assert.match(said, /The build filled its disk: \/build holds \d+M\./)
})

test(
  'krun: a build that is to end is gone, and its cache is whole',
  { skip },
  async () => {
    const command = 'echo once >>/cache/count; echo ready; exec sleep 1000'
    const its = await begun([], command)
    await until('it runs', async () => (await saidBy(its)) === 'ready\n')
    await runtime.kill(its.dyno.id, signal)
    const { status } = await ended(its)
    assert.equal(status, 137)
    const next = await ended(await begun([], 'cat /cache/count'))
    assert.deepEqual([next.status, next.said], [0, 'once\n'])
  },
)

test(
  'krun: what a build writes to /tmp is memory of its machine, and no more beside what that keeps of files',
  { skip },
  async () => {
    const its = await begun(
      [],
      `set -e; for n in 1 2 3 4 5 6; do head -c 45M /dev/zero >/build/$n; done; cat /build/* >/dev/null
       head -c 100M /dev/zero >/tmp/a; stat -c %s /tmp/a`,
      { hardMemory: 320 * MiB, limit: 512 * MiB },
    )
    const { status, said, outOfMemory } = await ended(its)
    assert.deepEqual([status, said, outOfMemory], [0, `${100 * MiB}\n`, false])
  },
)

async function begun(
  source: readonly TarEntry[],
  command: string,
  {
    hardMemory,
    limit = SPACE,
  }: { readonly hardMemory?: number; readonly limit?: number } = {},
): Promise<Begun> {
  const facts = { id: newId<'build'>(), app, stack: 'debian-12', source: 'its' }
  const build = { ...facts, sourceVersion: null, sourceChecksum: null }
  const from = join(root, 'builds', facts.id, 'source')
  await mkdir(join(from, 'env'), { recursive: true, mode: 0o700 })
  await writeFile(join(from, 'env', 'GREETING'), 'hello', { mode: 0o600 })
  const packed = gzipSync(tarball(source))
  await writeFile(join(from, 'source.tar.gz'), packed, { mode: 0o600 })
  const dyno = buildDyno({
    build: build as unknown as Build,
    sourceUrl: undefined,
    address: address(built++),
    builtIns: 'buildpacks',
    buildpacks: [],
    environment: {},
  })
  const volumes = dyno.volumes.map((it) =>
    it.limit === undefined ? it : { ...it, limit },
  )
  const size = hardMemory === undefined ? dyno.size : { ...dyno.size, hardMemory }
  const spec = { ...dyno, volumes, size, command }
  await runtime.start(spec, signal)
  return { dyno: spec, facts }
}

/** Waits for its end; all that it printed. */
async function ended(its: Begun) {
  const { id } = its.dyno
  const { status, outOfMemory } = await untilSeen('it has ended', async () => {
    const seen = (await runtime.status([id], signal)).get(id)
    return seen?.is === 'exited' ? seen : undefined
  })
  const said = await saidBy(its)
  await runtime.remove(id, signal)
  return { status, outOfMemory, said }
}

async function saidBy({ dyno }: Begun): Promise<string> {
  return (await runtime.output(dyno.id, 0, signal)).text
}
