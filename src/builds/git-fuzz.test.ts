/**
 * Whatever is sent to an app's repository by somebody who may push to it, and by who may not: an answer,
 * never that it is our fault, and a repository that is as sound as before. By the real git.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import * as fc from 'fast-check'

import {
  closed,
  commitOf,
  entry,
  line,
  nameOf,
  NOTHING,
  packOf,
  push,
  pushAll,
  pushOf,
  TEXT,
  text,
} from '../../test/a-git-pack.ts'
import { aGitServer } from '../../test/a-git-server.ts'
import { aTree, git } from '../../test/a-git-tree.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { changed, changes } from '../../test/mutated.ts'
import { aDatabase } from '../../test/postgres.ts'

const RUNS = fuzzRuns({ usual: 50, soaked: 5000 })

const pool = aDatabase()

// The database comes first: hooks of one level do not wait for one another.
suite('git, fuzzed', () => {
  const server = aGitServer(pool)
  const { root, data, failures, send, receive, isSound } = server

  test('a push that is right is taken, or nothing here would prove anything', async () => {
    const { status, body } = await receive(pushOf(entry('100644', 'a', TEXT), text))
    assert.equal(status, 200, body)
    assert.match(body, /unpack ok\n.*ok refs\/heads\/topic\n/)
    const work = await aTree(root, { a: 'x\n' })
    const real = await git(work, ['push', server.url, 'main:other'])
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
      RUNS,
    )
    t.diagnostic([...told].map(([what, count]) => `${what}: ${count}`).join(', '))
    assert.ok((told.get('ok') ?? 0) < RUNS.numRuns)
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

  test('a shallow clone may push what the repository can do without, and no more', async () => {
    const upstream = await aTree(root, { a: '1\n' })
    for (const written of ['2', '3']) {
      await writeFile(join(upstream, 'a'), `${written}\n`)
      await git(upstream, ['commit', '--quiet', '--all', '--message', written])
    }
    const shallow = join(root, 'shallow')
    await git(root, ['clone', '--quiet', '--depth=1', `file://${upstream}`, shallow])
    const url = server.url
    const { status, said } = await git(shallow, ['push', url, 'HEAD:refs/heads/shallow'])
    assert.notEqual(status, 0)
    assert.match(said, /shallow update not allowed/)
    await isSound()
  })

  test('paths, services and methods that are none', async () => {
    const elsewhere = server.others.slice(data.repos.length + 1)
    for (const [method, path] of [
      ['GET', `/${server.app}.git/HEAD`],
      ['GET', `/${server.app}.git/config`],
      ['GET', `/${server.app}.git/objects/info/packs`],
      ['GET', `/${server.app}.git/info/refs`],
      ['GET', `/${server.app}.git/info/refs?service=git-upload-archive`],
      ['GET', `/${server.app}.git/info/refs?service=git-receive-pack&service=../x`],
      ['GET', `/${server.app}.git/../${elsewhere}/info/refs?service=git-upload-pack`],
      ['GET', `/${server.app}.git/%2e%2e/${elsewhere}/HEAD`],
      ['GET', `/${elsewhere}/info/refs?service=git-upload-pack`],
      ['GET', `//${server.app}.git/info/refs?service=git-upload-pack`],
      ['GET', '/%00.git/info/refs?service=git-upload-pack'],
      ['GET', '/%ff%fe'],
      ['GET', '//'],
      ['GET', 'http://['],
      ['PUT', `/${server.app}.git/git-receive-pack`],
      ['DELETE', `/${server.app}.git/info/refs?service=git-upload-pack`],
      ['POST', `/${server.app}.git/info/refs?service=git-upload-pack`],
      ['GET', `/${server.app}.git/git-receive-pack`],
      ['POST', `/${server.app}.git/git-upload-archive`],
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
            `/${server.app}.git/git-upload-pack`,
            {
              'content-type': 'application/x-git-upload-pack-request',
              'git-protocol': protocol,
            },
            body,
          )
          assert.ok(status < 500, `${status}`)
        },
      ),
      RUNS,
    )
    await isSound()
  })

  test('names of many parts, long ones, and too many of them', async () => {
    const head = commitOf(entry('100644', 'a', TEXT))
    const to = nameOf('commit', head)
    const there = async () => (await git(server.own, ['for-each-ref'])).said
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
    execFileSync('git', ['-C', server.own, 'update-ref', '--stdin'], {
      input: taken.join(''),
    })
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
    const gone = await receive(push(Buffer.alloc(0), NOTHING, 'refs/tags/0', to))
    assert.match(gone.body, /ok refs/)
    const inItsPlace = await receive(pushAll(to, ['refs/heads/one-more']))
    assert.match(inItsPlace.body, /ok refs/)
    await isSound()
  })

  test('nothing of it is left behind, and nothing of others changed', () =>
    server.isAsBefore())
})
