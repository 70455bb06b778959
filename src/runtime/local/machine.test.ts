/** What is told to a virtual machine, and by it, in files; krun.test.ts has what comes of it. */

import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { MiB } from '../../lib/bytes.ts'
import { regionFiles } from './dyno-files.ts'
import {
  ensureMachinePlaces,
  MACHINE_INIT,
  machineEnvironment,
  machineSize,
  ranOutOfMemory,
  signalMachine,
  writeMachineFiles,
} from './machine.ts'

const root = mkdtempSync(join(tmpdir(), 'mayfly-machine-'))
const dyno = aDynoSpec({ command: 'true', address: '172.16.64.2' })
const files = regionFiles(root).of(dyno.id)
mkdirSync(files.directory)
after(() => rmSync(root, { recursive: true }))

test('each signal changes its own byte, as often as it is sent; nobody comes to its variables', () => {
  const its = { ...dyno, environment: { A: 'b=c', KRUN_INIT: '/bin/sh' } }
  writeMachineFiles(its, ['bash', '-c', '', 'entrypoint'], files, (file) => file)
  assert.equal(
    readFileSync(files.machineCommand, 'utf8'),
    'A=b=c\0KRUN_INIT=/bin/sh\0\0bash\0-c\0\0entrypoint',
  )
  assert.equal(statSync(dirname(files.machineConfig)).mode & 0o777, 0o700)
  const seen = (['SIGTERM', 'SIGHUP', 'SIGHUP', 'SIGTERM'] as const).map((it) => {
    signalMachine(files, it)
    return readFileSync(files.signals, 'utf8')
  })
  assert.deepEqual(seen, ['.-', '..', './', '//'])
  writeFileSync(files.signals, '~-')
  signalMachine(files, 'SIGTERM')
  assert.equal(readFileSync(files.signals, 'utf8'), '--')
})

test('a machine has the memory of its size, less what its monitor takes', () => {
  const size = { ...dyno.size, hardMemory: 1024 * MiB }
  const { ram_mib: memory, cpus } = JSON.parse(machineSize({ size })) as Record<
    string,
    number
  >
  assert.equal(memory, 960)
  assert.ok(cpus !== undefined && cpus >= 1 && cpus <= 16)
})

test('libkrun is told its limits, and nothing of the app`s own variables', () => {
  const { size } = dyno
  const its = {
    ...dyno,
    environment: { KRUN_RLIMITS: '7=1:1', HOSTNAME: 'mine', A: 'b' },
  }
  assert.deepEqual(machineEnvironment(its), {
    HOSTNAME: dyno.id,
    KRUN_RLIMITS: `4=0:0,6=${size.processes}:${size.processes},7=${size.openFiles}:${size.hardOpenFiles}`,
  })
})

test('an end for memory is known by the last lines of the log', () => {
  const said = /my \$for_memory = '(.*)';/.exec(readFileSync(MACHINE_INIT, 'utf8'))?.[1]
  const log = (...lines: string[]) =>
    writeFileSync(
      files.log,
      lines.map((it) => `2026-11-30T12:00:00.0Z stderr F ${it}\n`).join(''),
    )
  assert.equal(ranOutOfMemory(files), false)
  log('one', `${said}`)
  assert.equal(ranOutOfMemory(files), true)
  log(`${said}`, 'x'.repeat(5000))
  assert.equal(ranOutOfMemory(files), false)
})

test('a stack gets the places once', () => {
  ensureMachinePlaces(root)
  writeFileSync(join(root, '.krun_vm.json'), 'kept')
  ensureMachinePlaces(root)
  assert.equal(readFileSync(join(root, '.krun_vm.json'), 'utf8'), 'kept')
})
