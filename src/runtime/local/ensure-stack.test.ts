import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { debianSources, ensureStack, stackArgs } from './ensure-stack.ts'

const stanza = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k.gpg`

test("of the machine's sources those of the suite are taken, in either format", () => {
  const sources = `${stanza}\n\n# other\nTypes: deb\nURIs: http://other.example\nSuites: nodistro\n`
  assert.equal(debianSources([sources], 'bookworm'), stanza)
  const list =
    '# deb http://old.example bookworm main\n' +
    'deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n' +
    'deb http://mirror.example/debian trixie main\n'
  assert.equal(
    debianSources([list], 'bookworm'),
    'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n' +
      'Components: main contrib\nSigned-By: /k.gpg',
  )
})

test('without a source of its suite, a machine leaves the choice to mmdebstrap', () => {
  const build = { suite: 'bookworm', root: '/r', sources: undefined }
  assert.equal(debianSources([], 'bookworm'), '')
  assert.deepEqual(stackArgs('debian-12', ['bash'], build).slice(-2), ['bookworm', '/r'])
})

test('a stack that is there is left alone; an unknown one is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-stacks-'))
  await mkdir(join(directory, 'debian-12'))
  const said: string[] = []
  await ensureStack(directory, 'debian-12', (line) => said.push(line))
  await assert.rejects(
    ensureStack(directory, 'cedar', () => undefined),
    /no stack cedar/,
  )
  assert.deepEqual(said, [])
  assert.deepEqual(await readdir(directory), ['debian-12'])
  await rm(directory, { recursive: true })
})
