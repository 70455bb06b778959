/** What dynos without a disk of their own leave in their directories. It needs root. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { makeDeepDirectory } from '../../../test/a-deep-directory.ts'
import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { silentLog } from '../../lib/log.ts'
import { runProgram } from '../../lib/run-program.ts'
import { regionFiles } from './dyno-files.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
const runtime = new LocalRuntime(options)

before(() => runtime.prepare(signal))
after(close)

test('a dyno goes with all that it wrote, deeper than a path may be long', async () => {
  rmSync(regionFiles(options.dynos).diskTemplate)
  const command = `exec python3 -c 'import os
for _ in range(40):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)'`
  const { id, ...spec } = aDynoSpec({ command, address: address(0) })
  await runtime.start({ id, ...spec }, signal)
  await until('it has ended', async () => {
    return (await runtime.status([id], signal)).get(id)?.is === 'exited'
  })
  await runtime.remove(id, signal)
  assert.deepEqual(remains(), [])
})

test('what remains and cannot be removed keeps no manager from starting', async () => {
  const [deep, busy, last] = ['a.gone', 'b.gone', 'c.new'].map((it) =>
    join(options.dynos, it),
  )
  await makeDeepDirectory(deep ?? '')
  for (const it of [busy, last]) mkdirSync(it ?? '')
  await runProgram(['mount', '-t', 'tmpfs', 'none', busy ?? ''])
  const said: string[] = []
  const log = { ...silentLog, error: (message: string) => void said.push(message) }
  try {
    await new LocalRuntime({ ...options, log }).prepare(signal)
  } finally {
    await runProgram(['umount', busy ?? ''])
  }
  assert.deepEqual(said, ['cannot remove what is left of a dyno: b.gone'])
  assert.deepEqual(remains(), ['b.gone'])
  await new LocalRuntime(options).prepare(signal)
  assert.deepEqual(remains(), [])
})

function remains(): string[] {
  return readdirSync(options.dynos).filter((it) => /\.(gone|new)$/.test(it))
}
