import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { treeChecksum } from './tree-checksum.ts'

const root = mkdtempSync(join(tmpdir(), 'mayfly-tree-'))
after(() => rmSync(root, { recursive: true }))

const tree = join(root, 'tree')
mkdirSync(join(tree, 'lib/empty'), { recursive: true })
writeFileSync(join(tree, 'server.js'), 'serve()\n', { mode: 0o644 })
writeFileSync(join(tree, 'lib/run'), Buffer.alloc(3 * 1024 ** 2, 'x'), { mode: 0o755 })
writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff])]), 'not UTF-8')
symlinkSync('server.js', join(tree, 'link'))
execFileSync('mkfifo', [join(tree, 'pipe')])
const checksum = await treeChecksum(tree)

test('two trees that are alike have one checksum', async () => {
  assert.match(checksum, /^SHA256:[0-9a-f]{64}$/)
  const copy = join(root, 'copy')
  execFileSync('cp', ['-a', tree, copy])
  assert.equal(await treeChecksum(copy), checksum)
})

const changes: Record<string, (at: string) => void> = {
  'a byte': (at) => writeFileSync(join(at, 'server.js'), 'Serve()\n'),
  'a byte less': (at) => truncateSync(join(at, 'lib/run'), 3 * 1024 ** 2 - 1),
  'a byte more': (at) => appendFileSync(join(at, 'lib/run'), 'x'),
  'a mode': (at) => chmodSync(join(at, 'server.js'), 0o755),
  'a name': (at) => renameSync(join(at, 'server.js'), join(at, 'service.js')),
  'a place': (at) => renameSync(join(at, 'server.js'), join(at, 'lib/server.js')),
  'an empty directory': (at) => rmSync(join(at, 'lib/empty'), { recursive: true }),
  'where a link leads': (at) => {
    rmSync(join(at, 'link'))
    symlinkSync('lib/run', join(at, 'link'))
  },
  'a link for a file': (at) => {
    rmSync(join(at, 'server.js'))
    symlinkSync('serve()\n', join(at, 'server.js'))
  },
}
for (const [what, change] of Object.entries(changes)) {
  test(`${what} makes another`, async () => {
    const at = mkdtempSync(join(root, 'changed-'))
    rmSync(at, { recursive: true })
    execFileSync('cp', ['-a', tree, at])
    change(at)
    assert.notEqual(await treeChecksum(at), checksum)
  })
}

test('a tree that is not there has none', async () => {
  await assert.rejects(treeChecksum(join(root, 'none')), { code: 'ENOENT' })
})

test('what lies beyond a link does not count', async () => {
  const at = join(root, 'linked')
  cpSync(join(tree, 'server.js'), join(root, 'beyond'))
  mkdirSync(at)
  symlinkSync(join(root, 'beyond'), join(at, 'link'))
  const before = await treeChecksum(at)
  writeFileSync(join(root, 'beyond'), 'else')
  assert.equal(await treeChecksum(at), before)
})
