/**
 * Whatever is sent to an app's repository by somebody who may push to it, and by who may not: an answer,
 * never that it is our fault, and a repository that is as sound as before. By the real git.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { Agent, globalAgent, type OutgoingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'

import * as fc from 'fast-check'

import { aTree, git } from '../../test/a-git-tree.ts'
import { anApp } from '../../test/an-app.ts'
import { changed, changes } from '../../test/mutated.ts'
import { aDatabase } from '../../test/postgres.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { systemClock } from '../lib/clock.ts'
import { SECOND } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import { ensureAuthorization } from '../store/accounts.ts'
import { repositoryName } from './git-repository.ts'
import { gitServer } from './git-server.ts'

const RUNS = process.env['MAYFLY_SOAK'] === undefined ? 150 : 5000
/** Takes a gigabyte of memory. */
const SOAKED = { skip: process.env['MAYFLY_SOAK'] === undefined }
const DEADLINE = 20 * SECOND
const TOKEN = 'the-api-key'
const repository = join(import.meta.dirname, '../..')
const pool = aDatabase()
const root = mkdtempSync(join(tmpdir(), 'mayfly-git-fuzz-'))
const data = dataDirectory(root)
const failures: string[] = []
const server = gitServer({
  clock: systemClock,
  pool,
  requestsPerHour: 1e9,
  data,
  log: {
    info() {},
    error: (message, error) => failures.push(`${message}: ${String(error)}`),
  },
  hooks: join(repository, 'bin/git-hooks'),
  hookEnvironment: {
    MAYFLY_DATA: root,
    MAYFLY_NODE: process.execPath,
    MAYFLY_PRE_RECEIVE: join(repository, 'bin/pre-receive.ts'),
    DATABASE_URL: `postgresql:///${pool.options.database}`,
    PGHOST: process.env['PGHOST'] ?? '',
    PGUSER: process.env['PGUSER'] ?? '',
  },
})
let app = ''
let own = ''
let others = ''
/** Of another's repository, which nothing here may change. */
let theirRefs = ''
let port = 0

interface Answer {
  readonly status: number
  readonly body: string
  /** The port of ours that the connection is from. */
  readonly from: number | undefined
}

/** The path goes out as it is, whatever is in it. */
function send(
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  body: Buffer = Buffer.alloc(0),
  agent: Agent = globalAgent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port,
        method,
        path,
        timeout: DEADLINE,
        agent,
        headers: {
          authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`,
          ...(method === 'POST' &&
            !headers['transfer-encoding'] && { 'content-length': String(body.length) }),
          ...headers,
        },
      },
      (response) => {
        const from = response.socket.localPort
        let text = ''
        response.setEncoding('latin1').on('data', (piece: string) => (text += piece))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: text,
            from,
          }),
        )
        response.on('error', reject)
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${method} ${path}`)))
    asked.on('error', reject)
    asked.end(method === 'POST' ? body : undefined)
  })
}

const receive = (body: Buffer, headers: OutgoingHttpHeaders = {}, agent?: Agent) =>
  send(
    'POST',
    `/${app}.git/git-receive-pack`,
    { 'content-type': 'application/x-git-receive-pack-request', ...headers },
    body,
    agent,
  )

/** In place of a length. */
const chunked = { 'transfer-encoding': 'chunked' }
const NOTHING = '0'.repeat(40)

function line(text: string): string {
  return (Buffer.byteLength(text, 'latin1') + 4).toString(16).padStart(4, '0') + text
}

/** `to`: of an object's name. */
function push(
  pack: Buffer,
  to: string,
  ref = 'refs/heads/topic',
  from = NOTHING,
): Buffer {
  const command = line(`${from} ${to} ${ref}\0 report-status side-band-64k agent=fuzz\n`)
  return Buffer.concat([Buffer.from(`${command}0000`, 'latin1'), pack])
}

/** Of what is there, by so many names. */
function pushAll(to: string, refs: readonly string[]): Buffer {
  const able = '\0 report-status side-band-64k agent=fuzz'
  const commands = refs.map((ref, i) =>
    line(`${NOTHING} ${to} ${ref}${i === 0 ? able : ''}\n`),
  )
  return Buffer.concat([Buffer.from(`${commands.join('')}0000`, 'latin1'), packOf([])])
}

type Kind = 'commit' | 'tree' | 'blob' | 'delta'
const KINDS: Readonly<Record<Kind, number>> = { commit: 1, tree: 2, blob: 3, delta: 7 }

interface PackedObject {
  readonly kind: Kind
  readonly content: Buffer
  /** Of a delta: the object that it changes. */
  readonly base?: string
  /** What its header says, if not the truth. */
  readonly size?: number
}

/** After gitformat-pack(5). */
function packOf(objects: readonly PackedObject[]): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects.length, 8)
  return closed(Buffer.concat([head, ...objects.map(packed)]))
}

function packed({ kind, content, base, size = content.length }: PackedObject): Buffer {
  const bytes = [(KINDS[kind] << 4) | (size & 15)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128
    bytes.push(rest & 127)
  }
  const its = base === undefined ? Buffer.alloc(0) : Buffer.from(base, 'hex')
  return Buffer.concat([Buffer.from(bytes), its, deflateSync(content)])
}

/** With the checksum that a pack ends with. */
function closed(pack: Buffer): Buffer {
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()])
}

function nameOf(kind: Kind, content: Buffer): string {
  const head = `${kind} ${content.length}\0`
  return createHash('sha1').update(head).update(content).digest('hex')
}

function entry(mode: string, name: string, object: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')])
}

function commitOf(tree: Buffer): Buffer {
  const who = 'dev <dev@example.com> 1700000000 +0000'
  return Buffer.from(
    `tree ${nameOf('tree', tree)}\nauthor ${who}\ncommitter ${who}\n\nA change\n`,
  )
}

/** A commit of that tree, and all that it needs, as a push. */
function pushOf(tree: Buffer, ...blobs: readonly Buffer[]): Buffer {
  const commit = commitOf(tree)
  const objects: PackedObject[] = [
    { kind: 'commit', content: commit },
    { kind: 'tree', content: tree },
    ...blobs.map((content): PackedObject => ({ kind: 'blob', content })),
  ]
  return push(packOf(objects), nameOf('commit', commit))
}

/** To be built: a tree of ten that are each of ten, and so on, over one megabyte: 100 GB in a pack of one MB. */
function aTreeOfTens(): Buffer {
  const blob = randomBytes(1024 ** 2)
  const trees: Buffer[] = []
  for (let depth = 0; depth < 5; depth += 1) {
    const below = trees.at(-1)
    const [mode, name] = below
      ? ['40000', nameOf('tree', below)]
      : ['100644', nameOf('blob', blob)]
    const ten = Array.from({ length: 10 }, (_, i) => entry(mode, `${i}`, name))
    trees.push(Buffer.concat(ten))
  }
  const commit = commitOf(trees.at(-1) ?? blob)
  const objects: PackedObject[] = [
    { kind: 'commit', content: commit },
    ...trees.map((content): PackedObject => ({ kind: 'tree', content })),
    { kind: 'blob', content: blob },
  ]
  return push(packOf(objects), nameOf('commit', commit), 'refs/heads/main')
}

async function isSound(): Promise<void> {
  const check = await git(own, ['fsck', '--full'])
  assert.equal(check.status, 0, check.said)
  assert.deepEqual(failures, [])
}

const text = Buffer.from('hello\n')
const TEXT = nameOf('blob', text)

async function aBare(path: string): Promise<string> {
  await git(root, ['init', '--quiet', '--bare', '--initial-branch=main', path])
  return path
}

function sevenBits(size: number): Buffer {
  const all: number[] = []
  for (let rest = size; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...all, rest])
    all.push((rest % 128) | 128)
  }
}

/** After gitformat-pack(5): copies `base` again and again. */
function multiplying(base: Buffer, times: number): Buffer {
  const size = base.length
  // Copy from the beginning: no bytes of an offset, three of a size.
  const copy = Buffer.of(0xf0, size & 255, (size >> 8) & 255, (size >> 16) & 255)
  const copies = Array.from({ length: times }, () => copy)
  return Buffer.concat([sevenBits(size), sevenBits(size * times), ...copies])
}

/** What makes of `base` something else, by some bytes at its end (gitformat-pack(5)). */
function lengthening(base: Buffer, by: Buffer): Buffer {
  const size = base.length
  const copy = Buffer.of(0xf0, size & 255, (size >> 8) & 255, (size >> 16) & 255)
  const head = [sevenBits(size), sevenBits(size + by.length), copy]
  return Buffer.concat([...head, Buffer.of(by.length), by])
}

/** Loose objects, and KiB of all. */
async function held(inside: string): Promise<{ loose: number; size: number }> {
  const { said } = await git(inside, ['count-objects', '-v'])
  const of = (key: string) => Number(new RegExp(`^${key}: (\\d+)$`, 'm').exec(said)?.[1])
  return { loose: of('count'), size: of('size') + of('size-pack') + of('size-garbage') }
}

/** A disk of its own, which takes memory as it is written to. */
function mount(t: TestContext, directory: string, options: string): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  let mounted = true
  const unmount = () => {
    if (mounted) execFileSync('umount', [directory])
    mounted = false
  }
  t.after(unmount)
  return unmount
}

// The database comes first: hooks of one level do not wait for one another.
suite('git, fuzzed', () => {
  before(async () => {
    for (const directory of [data.sources, data.repos, data.run('git')]) {
      await mkdir(directory, { recursive: true })
    }
    const mine = await anApp(pool)
    const theirs = newId<'app'>()
    await pool.query(
      `with o as (insert into accounts (id, email) values ($1, 'other@example.com'))
       insert into apps (id, name, region, owner, stack)
       values ($1, 'another', 'us', $1, 'debian-12')`,
      [theirs],
    )
    app = mine.app.name
    own = join(data.repos, repositoryName(mine.app.id))
    others = join(data.repos, repositoryName(theirs))
    await git(await aTree(root, { a: 'theirs\n' }), ['push', await aBare(others), 'main'])
    theirRefs = (await git(others, ['show-ref'])).said
    assert.match(theirRefs, /refs\/heads\/main/)
    await ensureAuthorization(pool, {
      id: newId(),
      account: mine.account.id,
      sha256: digestOf(TOKEN),
      description: 'test',
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })

  after(async () => {
    await new Promise((resolve) => server.close(resolve))
    await rm(root, { recursive: true })
  })

  test('a push that is right is taken, or nothing here would prove anything', async () => {
    const { status, body } = await receive(pushOf(entry('100644', 'a', TEXT), text))
    assert.equal(status, 200, body)
    assert.match(body, /unpack ok\n.*ok refs\/heads\/topic\n/)
    const work = await aTree(root, { a: 'x\n' })
    const real = await git(work, [
      'push',
      `http://x:${TOKEN}@127.0.0.1:${port}/${app}.git`,
      'main:other',
    ])
    assert.equal(real.status, 0, real.said)
    await isSound()
  })

  test('packs and commands of any bytes', async (t) => {
    const right = pushOf(entry('100644', 'b', TEXT), text)
    const pack = right.subarray(right.indexOf('PACK'))
    const told = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(changes, fc.nat({ max: 2 }), async (all, what) => {
        const head = right.subarray(0, right.length - pack.length)
        const body = [
          () => changed(right, all),
          // As far as what the checksum guards.
          () => Buffer.concat([head, closed(changed(pack.subarray(0, -20), all))]),
          () => Buffer.concat([changed(head, all), pack]),
        ][what]?.()
        const answer = await receive(body ?? right)
        assert.ok(answer.status < 500, `${answer.status} ${answer.body}`)
        const unpacked = /unpack (ok|.{0,16})/.exec(answer.body)?.[1] ?? 'nothing'
        told.set(unpacked, (told.get(unpacked) ?? 0) + 1)
      }),
      { numRuns: RUNS, ...(process.env['MAYFLY_SOAK'] === undefined && { seed: 1 }) },
    )
    t.diagnostic([...told].map(([what, count]) => `${what}: ${count}`).join(', '))
    assert.ok((told.get('ok') ?? 0) < RUNS)
    await isSound()
  })

  test('what would do harm once it is checked out is not taken', async () => {
    const link = Buffer.from('/etc/passwd')
    const inner = entry('100644', 'config', TEXT)
    for (const [what, tree, ...blobs] of [
      ['a repository in the tree', entry('40000', '.git', nameOf('tree', inner)), inner],
      ['a directory above', entry('40000', '..', nameOf('tree', inner)), inner],
      ['a slash in a name', entry('100644', 'a/b', TEXT), text],
      ['no name', entry('100644', '', TEXT), text],
      [
        '.gitmodules as a link',
        entry('120000', '.gitmodules', nameOf('blob', link)),
        link,
      ],
      ['a mode that is none', entry('777777', 'a', TEXT), text],
      [
        'one name twice',
        Buffer.concat([entry('100644', 'a', TEXT), entry('100644', 'a', TEXT)]),
        text,
      ],
    ] as const) {
      const { status, body } = await receive(pushOf(tree, ...blobs))
      assert.equal(status, 200, what)
      assert.doesNotMatch(body, /ok refs/, what)
    }
    await isSound()
  })

  test('names of branches that git does not know, and what nobody has', async () => {
    const right = pushOf(entry('100644', 'c', TEXT), text)
    const pack = right.subarray(right.indexOf('PACK'))
    const to = /[0-9a-f]{40}/.exec(right.toString('latin1').slice(44))?.[0] ?? ''
    for (const ref of [
      'refs/heads/../../../x',
      'refs/heads/a..b',
      'refs/heads/.lock',
      'refs/heads/a.lock',
      'refs/heads/a\u0001',
      'refs/heads/$(touch x)',
      'refs/heads/-x',
      'HEAD',
      '../config',
      'refs/heads/' + 'x'.repeat(3000),
    ]) {
      const { status, body } = await receive(push(pack, to, ref))
      assert.ok(status < 500, `${ref}: ${status}`)
      // Git takes that one for a name.
      if (!ref.endsWith('/-x')) assert.doesNotMatch(body, /ok refs/, ref)
    }
    const missing = await receive(push(packOf([]), 'a'.repeat(40)))
    assert.ok(missing.status < 500)
    assert.doesNotMatch(missing.body, /ok refs/)
    const thin = packOf([
      { kind: 'delta', content: Buffer.of(5, 5), base: 'b'.repeat(40) },
    ])
    const based = await receive(push(thin, 'a'.repeat(40)))
    assert.match(based.body, /unpack (?!ok)/)
    await isSound()
  })

  test('a pack that multiplies itself takes no more memory than there is for it', async () => {
    const base = Buffer.alloc(8 * 1024 ** 2)
    const bomb = packOf([
      { kind: 'blob', content: base },
      { kind: 'delta', content: multiplying(base, 1024), base: nameOf('blob', base) },
    ])
    assert.ok(bomb.length < 100_000)
    const { status, body } = await receive(push(bomb, 'a'.repeat(40)))
    assert.ok(status < 500)
    assert.match(body, /unpack (?!ok)/)
    await isSound()
  })

  test('objects that are little more than another take no more when they have come', async () => {
    const were = await held(own)
    const base = randomBytes(1024 ** 2)
    const tree = entry('100644', 'd', nameOf('blob', base))
    const commit = commitOf(tree)
    const pack = packOf([
      { kind: 'commit', content: commit },
      { kind: 'tree', content: tree },
      { kind: 'blob', content: base },
      ...Array.from({ length: 50 }, (): PackedObject => {
        const content = lengthening(base, randomBytes(8))
        return { kind: 'delta', content, base: nameOf('blob', base) }
      }),
    ])
    const { body } = await receive(
      push(pack, nameOf('commit', commit), 'refs/heads/deltas'),
    )
    assert.match(body, /ok refs/)
    const { loose, size } = await held(own)
    assert.equal(loose, were.loose)
    assert.ok(size - were.size < 1100, `${size - were.size}`)
    await isSound()
  })

  test('many packs become few, and what nothing leads to is packed, too', async () => {
    const one = 'git hash-object -w --stdin | git pack-objects -q objects/pack/pack'
    const all = `for i in {1..51}; do echo $i | ${one}; done`
    execFileSync('bash', ['-c', all], { cwd: own })
    await git(own, ['prune-packed'])
    const packs = () =>
      readdirSync(join(own, 'objects/pack')).filter((it) => it.endsWith('.pack'))
    assert.ok(packs().length > 50)
    const commit = commitOf(entry('100644', 'e', TEXT))
    const pack = packOf([
      { kind: 'commit', content: commit },
      { kind: 'tree', content: entry('100644', 'e', TEXT) },
      { kind: 'blob', content: text },
    ])
    const { body } = await receive(
      push(pack, nameOf('commit', commit), 'refs/heads/packs'),
    )
    assert.match(body, /ok refs/)
    assert.ok(packs().length < 5, `${packs().length}`)
    assert.equal((await held(own)).loose, 0)
    await isSound()
  })

  test('a push ends where the disk is to stay free, and is told so', async (t) => {
    const agent = new Agent({ keepAlive: true })
    t.after(() => agent.destroy())
    const large = randomBytes(64 * 1024 ** 2)
    const right = pushOf(entry('100644', 'f', nameOf('blob', large)), large)
    // A gigabyte of them stays free.
    const unmount = mount(t, data.repos, 'size=1040m')
    const { status, body } = await receive(right, {}, agent)
    assert.equal(status, 503)
    assert.match(body, /^The disk is nearly full/)
    const [made = ''] = readdirSync(data.repos)
    const left = (await held(join(data.repos, made))).size
    assert.equal(left, 0)
    assert.match(failures.splice(0).join(), /^a push was turned away half-way/)
    unmount()
    await isSound()
  })

  test('a tree that multiplies itself is archived as far as there is room', async (t) => {
    const bomb = aTreeOfTens()
    assert.ok(bomb.length < 1_100_000)
    // A gigabyte of them stays free.
    mount(t, data.sources, 'size=1060m')
    const { status, body } = await receive(bomb)
    assert.equal(status, 200)
    assert.match(body, /The disk is nearly full/)
    assert.doesNotMatch(body, /ok refs/)
    assert.deepEqual(readdirSync(data.sources), [])
    const { rows } = await pool.query('select from sources where open_until is not null')
    assert.equal(rows.length, 0)
    await isSound()
  })

  test('a tree that multiplies itself is archived up to a gigabyte', SOAKED, async () => {
    const { status, body } = await receive(aTreeOfTens())
    assert.equal(status, 200)
    assert.match(body, /The source is too large: 1 GiB at most/)
    assert.doesNotMatch(body, /ok refs/)
    assert.deepEqual(readdirSync(data.sources), [])
    await isSound()
  })

  test('a body that multiplies itself, or is packed as nobody packs, is answered', async () => {
    const zeros = gzipSync(Buffer.alloc(64 * 1024 ** 2))
    const answer = await receive(zeros, { 'content-encoding': 'gzip' })
    assert.ok(answer.status < 500, `${answer.status}`)
    for (const encoding of ['gzip', 'x-gzip', 'deflate', 'br']) {
      const { status } = await receive(randomBytes(2000), {
        'content-encoding': encoding,
      })
      assert.ok(status < 500, `${encoding}: ${status}`)
    }
    await isSound()
  })

  test('what git reads no further is answered, and the connection goes on', async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    // Without a length git reads it line by line, and the first is none.
    const answer = await receive(randomBytes(32 * 1024 ** 2), chunked, agent)
    assert.ok(answer.status < 500, `${answer.status}`)
    const next = await receive(Buffer.from('0000'), {}, agent)
    assert.deepEqual([next.status, next.from], [200, answer.from])
    await isSound()
  })

  test(
    'a body that inflates to more than a push may have is given up',
    SOAKED,
    async () => {
      const most = 1024 ** 3
      const zeros = gzipSync(Buffer.alloc(most + 64 * 1024 ** 2), { level: 1 })
      const head = push(Buffer.alloc(0), 'a'.repeat(40))
      const answer = await receive(Buffer.concat([gzipSync(head), zeros]), {
        'content-encoding': 'gzip',
      })
      assert.ok(answer.status < 500, `${answer.status}`)
      await isSound()
    },
  )

  test('a shallow clone may push what the repository can do without, and no more', async () => {
    const upstream = await aTree(root, { a: '1\n' })
    for (const written of ['2', '3']) {
      await writeFile(join(upstream, 'a'), `${written}\n`)
      await git(upstream, ['commit', '--quiet', '--all', '--message', written])
    }
    const shallow = join(root, 'shallow')
    await git(root, ['clone', '--quiet', '--depth=1', `file://${upstream}`, shallow])
    const url = `http://x:${TOKEN}@127.0.0.1:${port}/${app}.git`
    const { status, said } = await git(shallow, ['push', url, 'HEAD:refs/heads/shallow'])
    assert.notEqual(status, 0)
    assert.match(said, /shallow update not allowed/)
    await isSound()
  })

  test('paths, services and methods that are none', async () => {
    const elsewhere = others.slice(data.repos.length + 1)
    for (const [method, path] of [
      ['GET', `/${app}.git/HEAD`],
      ['GET', `/${app}.git/config`],
      ['GET', `/${app}.git/objects/info/packs`],
      ['GET', `/${app}.git/info/refs`],
      ['GET', `/${app}.git/info/refs?service=git-upload-archive`],
      ['GET', `/${app}.git/info/refs?service=git-receive-pack&service=../x`],
      ['GET', `/${app}.git/../${elsewhere}/info/refs?service=git-upload-pack`],
      ['GET', `/${app}.git/%2e%2e/${elsewhere}/HEAD`],
      ['GET', `/${elsewhere}/info/refs?service=git-upload-pack`],
      ['GET', `//${app}.git/info/refs?service=git-upload-pack`],
      ['GET', '/%00.git/info/refs?service=git-upload-pack'],
      ['GET', '/%ff%fe'],
      ['GET', '//'],
      ['GET', 'http://['],
      ['PUT', `/${app}.git/git-receive-pack`],
      ['DELETE', `/${app}.git/info/refs?service=git-upload-pack`],
      ['POST', `/${app}.git/info/refs?service=git-upload-pack`],
      ['GET', `/${app}.git/git-receive-pack`],
      ['POST', `/${app}.git/git-upload-archive`],
    ] as const) {
      const { status } = await send(method, path, {})
      assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`)
    }
    for (const type of ['text/plain', '', 'application/x-git-upload-pack-request']) {
      const { status } = await receive(push(packOf([]), NOTHING), {
        'content-type': type,
      })
      assert.ok(status < 500, `${type}: ${status}`)
    }
    assert.deepEqual(failures, [])
  })

  test('what is asked of a fetch may be anything', async () => {
    const ask =
      line('command=fetch') + '0001' + line(`want ${TEXT}\n`) + line('done\n') + '0000'
    const first =
      line(`want ${TEXT} multi_ack_detailed side-band-64k\n`) + '0000' + line('done\n')
    await fc.assert(
      fc.asyncProperty(
        changes,
        fc.constantFrom('version=2', 'version=1', '', 'version=9', ':;=\t'),
        async (all, protocol) => {
          const body = changed(Buffer.from(protocol === 'version=2' ? ask : first), all)
          const { status } = await send(
            'POST',
            `/${app}.git/git-upload-pack`,
            {
              'content-type': 'application/x-git-upload-pack-request',
              'git-protocol': protocol,
            },
            body,
          )
          assert.ok(status < 500, `${status}`)
        },
      ),
      { numRuns: RUNS, ...(process.env['MAYFLY_SOAK'] === undefined && { seed: 1 }) },
    )
    await isSound()
  })

  test('names of many parts, long ones, and too many of them', async () => {
    const head = commitOf(entry('100644', 'a', TEXT))
    const to = nameOf('commit', head)
    const there = async () => (await git(own, ['for-each-ref'])).said
    await receive(pushOf(entry('100644', 'a', TEXT), text))
    const names = await there()
    assert.match(names, new RegExp(to))
    for (const name of [
      `refs/heads/${'a/'.repeat(8)}a`,
      `refs/heads/${'a/'.repeat(1800)}a`,
      `refs/heads/${'é'.repeat(120)}`,
      // No name to a pattern that knows white space, and one to git.
      `refs/heads/${'\u00a0/'.repeat(9)}a`,
    ]) {
      const { body } = await receive(
        push(packOf([]), to, Buffer.from(name).toString('latin1')),
      )
      assert.match(body, /The name of a branch or tag has|a name that is none/)
      assert.doesNotMatch(body, /ok refs/)
    }
    assert.equal(await there(), names)

    const ten = `refs/heads/${'b/'.repeat(7)}b`
    const count = names.trim().split('\n').length
    const taken = Array.from(
      { length: 998 - count },
      (_, i) => `create refs/tags/${i} ${to}\n`,
    )
    execFileSync('git', ['-C', own, 'update-ref', '--stdin'], { input: taken.join('') })
    const two = await receive(pushAll(to, [ten, 'refs/heads/last']))
    assert.match(two.body, /ok refs\/heads\/b[^]*ok refs\/heads\/last/)
    const one = await receive(pushAll(to, ['refs/heads/one-more']))
    assert.match(one.body, /A repository has 1,000 branches and tags at most/)
    const thousands = Array.from(
      { length: 3000 },
      (_, i) => `refs/heads/${i}/${'c'.repeat(150)}`,
    )
    const many = await receive(pushAll(to, thousands))
    assert.match(many.body, /A repository has 1,000 branches and tags at most/)
    assert.equal((await there()).trim().split('\n').length, 1000)
    // What is there already is changed.
    const next = await receive(push(packOf([]), to, 'refs/heads/last', to))
    assert.match(next.body, /ok refs/)
    await isSound()
  })

  test('nothing of it is left behind, and nothing of others changed', async () => {
    const left = readdirSync(join(own, 'objects')).filter((it) => it.startsWith('tmp_'))
    assert.deepEqual(left, [])
    assert.ok(statSync(own).isDirectory())
    assert.deepEqual(readdirSync(data.sources), [])
    assert.equal((await git(others, ['show-ref'])).said, theirRefs)
    assert.equal((await git(others, ['fsck', '--full'])).status, 0)
  })
})
