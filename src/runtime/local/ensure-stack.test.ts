import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { builtName, debianSources, ensureStack, stackArgs } from './ensure-stack.ts'

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
  const built = await builtName('debian-12')
  await mkdir(join(directory, built))
  const said: string[] = []
  for (let time = 0; time < 2; time++) {
    await ensureStack(directory, 'debian-12', (line) => said.push(line))
  }
  await assert.rejects(
    ensureStack(directory, 'cedar', () => undefined),
    /no stack cedar/,
  )
  assert.deepEqual(said, [])
  assert.deepEqual(await readdir(directory), ['debian-12', built])
  assert.equal(await readlink(join(directory, 'debian-12')), built)
  await rm(directory, { recursive: true })
})

test('a stack of another recipe gives way, and stays for those who have it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-stacks-'))
  const built = await builtName('debian-12')
  await mkdir(join(directory, built))
  for (const [make, kept] of [
    [() => mkdir(join(directory, 'debian-12')), ['debian-12.before']],
    [
      () => symlink('debian-12.before', join(directory, 'debian-12')),
      ['debian-12.before'],
    ],
  ] as const) {
    await rm(join(directory, 'debian-12'), { recursive: true, force: true })
    await make()
    await ensureStack(directory, 'debian-12', () => undefined)
    assert.equal(await readlink(join(directory, 'debian-12')), built)
    assert.deepEqual(
      (await readdir(directory)).toSorted(),
      ['debian-12', built, ...kept].toSorted(),
    )
  }
  await rm(directory, { recursive: true })
})
