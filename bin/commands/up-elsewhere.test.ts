import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const program = join(import.meta.dirname, '..', 'mayfly.ts')

test('in a directory that is no installation’s, `up` changes no file', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'mayfly-elsewhere-'))
  t.after(() => rmSync(root, { recursive: true }))
  // Mayfly's users have to get through.
  chmodSync(root, 0o711)
  const theirs = ['api.json', 'webhooks.json', 'sizes.json'].map((it) => join(root, it))
  for (const path of theirs) writeFileSync(path, '{}', { mode: 0o600 })
  const up = spawnSync(process.execPath, [program, 'up', '--data', root], {
    encoding: 'utf8',
  })
  assert.match(up.stderr, /is not empty and not an installation of Mayfly's/)
  assert.deepEqual(
    theirs.map((path) => statSync(path).mode & 0o777),
    [0o600, 0o600, 0o600],
  )
})
