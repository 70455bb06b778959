/** What a hostile dyno finds of the machine: files, devices, processes, system calls. */

import assert from 'node:assert/strict'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { buildDyno } from '../../src/builds/build-dyno.ts'
import type { Build } from '../../src/model/build.ts'
import { newId } from '../../src/model/ids.ts'
import { OCI_RUNTIMES } from '../../src/model/oci-runtimes.ts'
import { anAttack, anOutside, ITS_PLACE, type Knows, PORT } from './an-attack.ts'
import { assertHeld, type Row } from './rows.ts'

const { signal } = new AbortController()
const attack = await anAttack()
const outside = await anOutside()
const { root, dynos } = attack.options

for (const name of OCI_RUNTIMES.filter((it) => it !== 'krun')) {
  // gVisor answers them all itself: none comes to this machine's kernel.
  if (name !== 'runsc') {
    test(`system calls that no dyno needs are refused: ${name}`, () =>
      attack.madeBy(name, async () => assertHeld(await attack.rows('system-calls'), 450)))
  }

  test(`a dyno finds nothing of the host, and may write only what is its own: ${name}`, () =>
    attack.madeBy(name, findsNothing))
}

/** Files and devices that gVisor has in place of the machine's, how it mounts them, and its names for standard input and output. */
const OF_GVISOR = [
  ...['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((it) => `change /proc/${it}`),
  'mount options of /proc',
  'write /proc/1/oom_score_adj',
  'write /proc/self/oom_score_adj',
  'find descriptors left open',
  'find devices in /dev',
]

async function findsNothing(): Promise<void> {
  const neighbour = await attack.neighbour(0)
  const files = [
    root,
    join(dynos, neighbour, 'disk'),
    join(dynos, neighbour, 'config.json'),
    attack.program,
    `/proc/${process.pid}/root/etc/passwd`,
    `/proc/${process.pid}/environ`,
    '/root/.bashrc',
    '/var/run/docker.sock',
    '/run/docker.sock',
    '/var/lib/postgresql',
    '/etc/ssh/ssh_host_rsa_key',
  ]
  const rows = await attack.rows('files', { FILES: JSON.stringify(files) })
  const its = attack.ociRuntime() === 'runsc' ? OF_GVISOR : []
  assertHeld(
    rows.filter(({ attempt }) => !its.includes(attempt)),
    80 - its.length,
  )
  assertHeld(await attack.rows('processes'), 3)
  await attack.remove(neighbour)
}

test('root of a dyno`s own user namespace may no more', async () => {
  const files = [root, '/root/.bashrc', `/proc/${process.pid}/environ`]
  for (const group of ['system-calls', 'files', 'processes']) {
    const rows = await attack.rowsOfRoot(group, { FILES: JSON.stringify(files) })
    assertHeld(rows, group === 'processes' ? 3 : 40)
  }
})

test('a build dyno is held to the same walls, and finds nothing of other tenants', async () => {
  const theirs = [
    ['cache', newId<'app'>(), 'node_modules.tar'],
    ['builds', newId<'build'>(), 'source', 'env', 'SECRET'],
    ['builds', newId<'build'>(), 'build', 'app', 'index.js'],
    ['slugs', newId<'slug'>(), 'app', 'index.js'],
    ['sources', `${newId<'source'>()}.tar.gz`],
    ['repos', `${newId<'app'>()}.git`, 'HEAD'],
  ].map((path) => join(root, ...path))
  for (const path of theirs) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'theirs')
  }
  const neighbour = await attack.neighbour(0)
  const { internet, hostPort } = outside
  const targets = [
    { name: 'a neighbour', host: attack.address(0), port: PORT },
    { name: 'the host by its gateway', host: attack.address(-1), port: hostPort },
    { name: 'mail on the internet', host: internet.there, port: 25 },
    { name: 'https on the internet', host: internet.there, port: 443, reachable: true },
  ].map((it) => ({ reachable: false, ...it }))
  const knows = {
    FILES: JSON.stringify([...theirs, ...theirs.map(dirname), ...OF_BUILDS]),
    TARGETS: JSON.stringify(targets),
    FOREIGN: JSON.stringify([attack.address(0)]),
  }
  for (const [group, atLeast] of [
    ['files', 70],
    ['network', 7],
    ['system-calls', 70],
  ] as const) {
    assertHeld(await rowsOfBuild(group, knows), atLeast)
  }
  for (const path of theirs) assert.equal(await readFile(path, 'utf8'), 'theirs')
  await attack.remove(neighbour)
})

/** Where they would be, were a volume of a build dyno more than its own. */
const OF_BUILDS = ['/cache/..', '/build/..', '/source/..'].flatMap((it) =>
  ['builds', 'sources', 'repos', 'slugs', 'dynos'].map((name) => `${it}/${name}`),
)

async function rowsOfBuild(group: string, knows: Knows): Promise<Row[]> {
  const its = { id: newId<'build'>(), app: newId<'app'>(), stack: 'debian-12' }
  const facts = { ...its, source: newId<'source'>(), sourceVersion: null }
  const spec = buildDyno({
    build: { ...facts, sourceChecksum: null } as unknown as Build,
    sourceUrl: undefined,
    address: attack.address(ITS_PLACE),
    builtIns: 'buildpacks',
    buildpacks: [],
    environment: knows,
  })
  const given = join(root, 'builds', its.id, 'source')
  await mkdir(join(root, 'buildpacks'), { recursive: true })
  await cp(dirname(attack.program), given, { recursive: true })
  const command = `exec python3 /source/attacker.py ${group}`
  await attack.runtime.start({ ...spec, command }, signal)
  return attack.rowsOf(spec.id)
}
