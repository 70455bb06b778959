/**
 * Uploaded archives of any make, in the real build dyno: a build fails in words, or leaves a slug that
 * is safe to read. Nothing else on the machine is touched, and nothing waits for ever.
 */

import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import * as fc from 'fast-check'

import { aLocalMachine, type LocalMachine } from '../../test/a-local-machine.ts'
import { tarball, type TarEntry } from '../../test/a-tarball.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { changed, changes } from '../../test/mutated.ts'
import { until, untilSeen } from '../../test/until.ts'
import { MiB } from '../lib/bytes.ts'
import { treeChecksum } from '../lib/tree-checksum.ts'
import type { Build } from '../model/build.ts'
import { newId } from '../model/ids.ts'
import { SLUG_UID } from '../runtime/local/address.ts'
import { LocalRuntime } from '../runtime/local/local-runtime.ts'
import { buildDyno, compiledBy, SLUG_LIMIT } from './build-dyno.ts'
import { readResult, UnusableResult } from './read-result.ts'

const RUNS = fuzzRuns({ usual: 5, soaked: 1000 })
/** In place of gigabytes, so that little fills it. */
const SPACE = 64 * MiB
const { signal } = new AbortController()
const repository = join(import.meta.dirname, '../..')

let machine: LocalMachine
let runtime: LocalRuntime
let built = 0
/** Of what others have on the machine, where the manager keeps it. */
let theirs = ''

interface Outcome {
  readonly status: number
  /** All that the build printed. */
  readonly said: string
  /** Undefined: there is no slug. */
  readonly slug: string | undefined
  /** Why the slug cannot be used, or what was passed over. */
  readonly words: readonly string[]
}

/** `command`: in place of what compiles it. */
async function build(source: Buffer, command?: string): Promise<Outcome> {
  const id = newId<'build'>()
  const { root } = machine.options
  const its = { id, app: newId<'app'>(), stack: 'debian-12', source: newId<'source'>() }
  const facts = { ...its, sourceVersion: null, sourceChecksum: null }
  const dyno = buildDyno({
    build: facts as unknown as Build,
    sourceUrl: undefined,
    address: machine.address(built++ % 200),
    builtIns: 'buildpacks',
    buildpacks: [],
    environment: {},
  })
  const from = join(root, 'builds', id, 'source')
  await mkdir(join(from, 'env'), { recursive: true })
  await writeFile(join(from, 'source.tar.gz'), source)
  const volumes = dyno.volumes.map((it) =>
    it.limit === undefined ? it : { ...it, limit: SPACE },
  )
  await runtime.start({ ...dyno, volumes, command: command ?? dyno.command }, signal)
  const hasEnded = async () => {
    const seen = (await runtime.status([dyno.id], signal)).get(dyno.id)
    return seen?.is === 'exited' ? seen : undefined
  }
  const status = await untilSeen('it has ended', hasEnded)
  const { text } = await runtime.output(dyno.id, 0, signal)
  await runtime.remove(dyno.id, signal)
  const outcome = { status: status.status, said: text }
  if (status.status !== 0) return { ...outcome, slug: undefined, words: [] }

  const slug = join('slugs', id)
  const copy = { from: compiledBy(facts), to: slug, most: SLUG_LIMIT }
  await until('it is copied out', () => runtime.copyOut(copy, signal))
  const words = await readResult(join(root, slug)).then(
    ({ warnings }) => warnings,
    (error: unknown) => {
      assert.ok(error instanceof UnusableResult, String(error))
      return [error.message]
    },
  )
  mustBeSafe(join(root, slug))
  return { ...outcome, slug: join(root, slug, 'app'), words }
}

/** What is there is nobody's of this machine, no device, and does not make anybody somebody else. */
function mustBeSafe(directory: string): void {
  for (const name of readdirSync(directory, { encoding: 'buffer' })) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), name])
    const it = lstatSync(path)
    assert.equal(it.uid, SLUG_UID, path.toString())
    assert.ok(!it.isBlockDevice() && !it.isCharacterDevice(), path.toString())
    if (it.isDirectory()) mustBeSafe(path.toString('latin1'))
    else if (it.isFile()) assert.equal(it.mode & 0o6000, 0, path.toString())
  }
}

const OF_OTHERS = ['cache/other', 'repos/other.git', 'sources', 'slugs/other/app']

async function ofOthers(): Promise<string> {
  const all = OF_OTHERS.map((it) => treeChecksum(join(machine.options.root, it)))
  return (await Promise.all(all)).join()
}

const procfile: TarEntry = { name: 'Procfile', content: 'web: ./run\n' }
const many = (count: number): TarEntry[] =>
  Array.from({ length: count }, (_, n) => ({ name: `f/${n}` }))

/** Each is preceded by a keyword that GNU's tar does not know, and says so. */
const warned = (count: number): TarEntry[] =>
  many(count).flatMap((it) => [
    { name: 'x', type: 'x', content: '31 LIBARCHIVE.xattr.com.a=YWJj\n' },
    it,
  ])

const UNPACKED = /The source is not a gzipped tarball that can be unpacked/
const FULL = /The build filled its disk/

/** What comes of it: what the build says as it fails, or what is to be seen of its slug. */
type Expected = RegExp | ((outcome: Outcome & { readonly slug: string }) => void)

const there =
  (...names: readonly string[]) =>
  ({ slug }: { readonly slug: string }) => {
    for (const name of names) assert.ok(lstatSync(join(slug, name)), name)
  }

const archives: readonly (readonly [string, readonly TarEntry[], Expected])[] = [
  ['nothing odd', [procfile], there('Procfile')],
  ['a name above', [procfile, { name: '../../evil', content: 'x' }], UNPACKED],
  ['a whole path', [procfile, { name: '/etc/evil', content: 'x' }], there('etc/evil')],
  [
    'a link out, and a file through it',
    [
      procfile,
      { name: 'out', type: '2', link: '/source' },
      { name: 'out/evil', content: 'x' },
    ],
    UNPACKED,
  ],
  [
    'a hard link to what is not in it',
    [procfile, { name: 'shadow', type: '1', link: '/etc/shadow' }],
    UNPACKED,
  ],
  ['a device', [procfile, { name: 'memory', type: '3' }], UNPACKED],
  [
    'pipes where files are read',
    [procfile, { name: 'app.json', type: '6' }, { name: 'pipe', type: '6' }],
    ({ words }) =>
      assert.deepEqual(words, ['app.json is not a regular file, and is ignored.']),
  ],
  [
    // It is read in the build dyno, which has nothing of others to show.
    'a link in place of the Procfile',
    [{ name: 'Procfile', type: '2', link: '/etc/passwd' }],
    there('Procfile'),
  ],
  [
    'programs that would be root`s',
    [procfile, { name: 'su', mode: 0o6755, content: 'x' }],
    there('su'),
  ],
  [
    'names that are none',
    [
      procfile,
      { name: '-rf', content: 'x' },
      { name: 'a\nb', content: 'x' },
      { name: '\xff\xfe', content: 'x' },
      { name: '$(touch evil)', content: 'x' },
    ],
    there('-rf', 'a\nb', '$(touch evil)'),
  ],
  [
    'a name of 5,000 letters',
    [
      procfile,
      { name: '././@LongLink', type: 'L', content: 'a'.repeat(5000) },
      { name: 'a' },
    ],
    UNPACKED,
  ],
  [
    'a size that is not there',
    [procfile, { name: 'a', size: '77777777777\0' }],
    UNPACKED,
  ],
  ['a size below nothing', [procfile, { name: 'a', size: '\xff'.repeat(12) }], UNPACKED],
  [
    'a size of its own in what comes before',
    [
      procfile,
      { name: 'x', type: 'x', content: '22 size=9999999999999\n' },
      { name: 'a' },
    ],
    UNPACKED,
  ],
  ['one name twice', [procfile, procfile, procfile], there('Procfile')],
  [
    // As macOS's tar writes one of files with attributes.
    'a warning for each of a thousand files',
    [procfile, ...warned(1000)],
    (outcome) => {
      there('Procfile', 'f/0', 'f/999')(outcome)
      assert.ok(outcome.said.split('LIBARCHIVE').length - 1 <= 20)
    },
  ],
  ['more files than fit', [procfile, ...many(20_000)], FULL],
  [
    'more bytes than fit',
    [procfile, { name: 'a', content: Buffer.alloc(256 * MiB) }],
    FULL,
  ],
]

// The machine comes first: hooks of one level do not wait for one another.
suite('archives', () => {
  before(async () => {
    machine = await aLocalMachine()
    runtime = new LocalRuntime(machine.options)
    await runtime.prepare(signal)
    await cp(join(repository, 'buildpacks'), join(machine.options.root, 'buildpacks'), {
      recursive: true,
    })
    await mkdir(join(machine.options.root, 'slugs'))
    for (const directory of OF_OTHERS) {
      await mkdir(join(machine.options.root, directory), { recursive: true })
      await writeFile(join(machine.options.root, directory, 'theirs'), 'theirs')
    }
    theirs = await ofOthers()
  })
  after(async () => {
    await rm(join(machine.options.root, 'slugs'), { recursive: true })
    await machine.close()
  })

  for (const [what, entries, expected] of archives) {
    test(what, async () => {
      const outcome = await build(gzipSync(tarball(entries)))
      if (expected instanceof RegExp) {
        assert.equal(outcome.status, 1)
        assert.match(outcome.said, expected)
      } else {
        const { slug, said } = outcome
        assert.ok(slug !== undefined, said)
        expected({ ...outcome, slug })
      }
    })
  }

  test('what is no gzip, or ends too soon', async () => {
    const whole = gzipSync(tarball([procfile]))
    for (const source of [
      Buffer.alloc(0),
      whole.subarray(0, -20),
      tarball([procfile]),
      Buffer.from('nonsense'),
    ]) {
      const { status, said } = await build(source)
      assert.equal(status, 1)
      assert.match(said, UNPACKED)
    }
  })

  test('a gzip of several members is one', async () => {
    const whole = tarball([procfile, { name: 'a', content: 'x'.repeat(5000) }])
    const members = [whole.subarray(0, 700), whole.subarray(700)].map((it) =>
      gzipSync(it),
    )
    const { slug, said } = await build(Buffer.concat(members))
    assert.ok(slug !== undefined, said)
    assert.equal(readFileSync(join(slug, 'a'), 'utf8').length, 5000)
  })

  test('a thousand directories in one another', async () => {
    const deep = Array.from({ length: 40 }, (_, n) => 'd/'.repeat(n + 1)).map(
      (name): TarEntry => ({ name, type: '5', mode: 0o755 }),
    )
    const further = `${'d/'.repeat(1000)}x`
    const long: TarEntry = { name: '././@LongLink', type: 'L', content: `${further}\0` }
    const { slug, said } = await build(
      gzipSync(tarball([procfile, ...deep, long, { name: 'd', content: 'x' }])),
    )
    assert.ok(slug !== undefined, said)
    assert.equal(readFileSync(join(slug, further), 'utf8'), 'x')
  })

  test('what would take for ever to copy, or to read, is no slug', async () => {
    for (const [what, command, code] of [
      ['a hole of a terabyte', 'truncate -s 1T app/hole', 'too_large'],
      [
        'one file by ten thousand names',
        `truncate -s 1M app/a; perl -e 'link "app/a", "app/$_" for 1..9999'`,
        'too_large',
      ],
      [
        'three files by 140,000 names',
        `touch app/{a,b,c}; perl -e 'for my $d (1..140) { mkdir "app/$d"; my $of = "app/" . qw(a b c)[$d % 3]; link $of, "app/$d/$_" for 1..1000 }'`,
        'too_many_files',
      ],
      [
        'directories deeper than a path can say',
        `cd app; perl -e 'for (1..2100) { mkdir "d"; chdir "d" }'`,
        'path_too_long',
      ],
    ] as const) {
      const made = build(Buffer.alloc(0), `set -e; cd /build; mkdir app; ${command}`)
      await assert.rejects(made, { name: 'RuntimeError', code }, what)
    }
  })

  test('archives of any bytes', async (t) => {
    const right = tarball([
      procfile,
      { name: 'bin/', type: '5', mode: 0o755 },
      { name: 'bin/run', mode: 0o755, content: 'x'.repeat(600) },
      { name: 'here', type: '2', link: 'bin' },
      { name: 'again', type: '1', link: 'bin/run' },
    ])
    const statuses = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (all, packed) => {
        const source = packed
          ? changed(gzipSync(right), all)
          : gzipSync(changed(right, all))
        const { status, said } = await build(source)
        assert.ok(status === 0 || / ! {5}\S/.test(said), said)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }),
      RUNS,
    )
    t.diagnostic([...statuses].map(([status, n]) => `status ${status}: ${n}`).join(', '))
  })

  test('nothing of it is anywhere else on the machine', async () => {
    assert.equal(await ofOthers(), theirs)
    const { root } = machine.options
    for (const place of ['/', '/etc', '/source', '/tmp', root, join(root, 'builds')]) {
      assert.equal(existsSync(join(place, 'evil')), false, place)
    }
  })
})
