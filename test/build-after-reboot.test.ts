/** A build that was under way as its machine stopped, for real: by the local runtime. */

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { createBuild } from '../src/actions/create-build.ts'
import { createSource } from '../src/actions/create-source.ts'
import { buildDynoId } from '../src/builds/build-dyno.ts'
import { lookAfterBuild } from '../src/builds/look-after-build.ts'
import { dataDirectory } from '../src/installation/data-directory.ts'
import { pause } from '../src/lib/clock.ts'
import type { Build } from '../src/model/build.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { signalProcess } from '../src/runtime/local/process-status.ts'
import { localRegion } from '../src/runtime/local/region.ts'
import { findBuild } from '../src/store/builds.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { buildDeps, outputOf } from './a-build.ts'
import { aLocalMachine } from './a-local-machine.ts'
import { anApp } from './an-app.ts'
import { makeOfAnEarlierBoot } from './of-an-earlier-boot.ts'
import { aDatabase } from './postgres.ts'
import { until } from './until.ts'

const BUILT_INS = 'buildpacks/test'
/** In the middle of the first it stops, and waits. */
const COMPILE = `#!/bin/bash
echo compiling
mkdir /build/app
ls /cache
if [ -e /cache/tried ]; then
  echo 'web: true' > /build/Procfile
  exit
fi
touch /cache/tried /build/app/half
echo half done
exec sleep 1000
`

const pool = aDatabase()
const machine = await aLocalMachine()
const data = dataDirectory(machine.options.root)
const region = localRegion(machine.options)
const runtime = new LocalRuntime(machine.options)
const { signal } = new AbortController()

before(async () => {
  for (const directory of [data.sources, data.slugs, join(data.root, BUILT_INS)]) {
    await mkdir(directory, { recursive: true })
  }
  const program = join(data.root, BUILT_INS, 'compile')
  await writeFile(program, COMPILE)
  await chmod(program, 0o755)
  await runtime.prepare(signal)
})
after(() => machine.close())

test('a build that was under way as the machine stopped is built again, from its beginning', async () => {
  const build = await aBuild()
  const look = lookAfterBuild({ ...buildDeps(pool, runtime, data), builtIns: BUILT_INS })
  await until('it is in the middle', async () => {
    await look(build.id, signal)
    return (await outputOf(pool, build)).endsWith('half done\n')
  })

  const cgroups = region.cgroupsOf(buildDynoId(build))
  for (const pid of [...cgroups.monitors(), ...cgroups.processes()]) {
    signalProcess(pid, 'SIGTERM')
  }
  await until('it has ended', () => cgroups.monitors().length === 0)
  makeOfAnEarlierBoot(region.files.of(buildDynoId(build)))
  for (let delay = 0; delay < Infinity; await pause(Math.min(delay, 100))) {
    delay = await look(build.id, signal)
  }

  const ended = await findBuild(pool, build.id)
  assert.equal(ended?.status, 'succeeded', ended?.failure ?? '')
  assert.match(
    await outputOf(pool, build),
    /^compiling\nhalf done\n\n ! {5}The machine stopped in the middle of the build, which begins anew\.\n\ncompiling\ntried\n/,
  )
  assert.deepEqual(readdirSync(join(data.slugs, build.id, 'app')), [])
  assert.equal(
    await readFile(join(data.slugs, build.id, 'Procfile'), 'utf8'),
    'web: true\n',
  )
  assert.deepEqual(await runtime.list(signal), [])
})

async function aBuild(): Promise<Build> {
  const { app, account } = await anApp(pool)
  await pool.query('update regions set subnet = $1', [machine.options.subnet])
  const { id } = await inTransaction(pool, (tx) => createSource(tx, account.id))
  await writeFile(data.sourceFile(id), 'a tarball')
  return inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: id, sourceUrl: null, version: '5f2a1c3e' }),
  )
}
