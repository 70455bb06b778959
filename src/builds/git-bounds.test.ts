/** What a push makes of little, or never ends, stops where it was said to; what was stored stays small. By the real git. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'

import {
  aTreeOfTens,
  commitOf,
  entry,
  lengthening,
  multiplying,
  nameOf,
  type PackedObject,
  packOf,
  push,
  pushOf,
  TEXT,
  text,
} from '../../test/a-git-pack.ts'
import { aGitServer } from '../../test/a-git-server.ts'
import { git } from '../../test/a-git-tree.ts'
import { aDatabase } from '../../test/postgres.ts'

/** Takes a gigabyte of memory. */
const SOAKED = { skip: process.env['MAYFLY_SOAK'] === undefined }
/** In place of a length. */
const chunked = { 'transfer-encoding': 'chunked' }

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

const pool = aDatabase()

// The database comes first: hooks of one level do not wait for one another.
suite('git, within bounds', () => {
  const server = aGitServer(pool)
  const { data, failures, receive, isSound } = server

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
    const were = await held(server.own)
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
    const { loose, size } = await held(server.own)
    assert.equal(loose, were.loose)
    assert.ok(size - were.size < 1100, `${size - were.size}`)
    await isSound()
  })

  test('many packs become few, and what nothing leads to is packed, too', async () => {
    const one = 'git hash-object -w --stdin | git pack-objects -q objects/pack/pack'
    const all = `for i in {1..51}; do echo $i | ${one}; done`
    execFileSync('bash', ['-c', all], { cwd: server.own })
    await git(server.own, ['prune-packed'])
    const packs = () =>
      readdirSync(join(server.own, 'objects/pack')).filter((it) => it.endsWith('.pack'))
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
    assert.equal((await held(server.own)).loose, 0)
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

  test('nothing of it is left behind, and nothing of others changed', () =>
    server.isAsBefore())
})
