/** What is told of dynos once their machine was started anew. It needs root and the stack. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { makeOfAnEarlierBoot } from '../../../test/of-an-earlier-boot.ts'
import { until } from '../../../test/until.ts'
import type { DynoId } from '../../model/ids.ts'
import type { DynoSpec, DynoStatus } from '../runtime.ts'
import { LocalRuntime } from './local-runtime.ts'
import { signalProcess } from './process-status.ts'
import { localRegion } from './region.ts'

const { signal } = new AbortController()
const machine = await aLocalMachine()
const region = localRegion(machine.options)
const runtime = new LocalRuntime(machine.options)
const lostWithHost: DynoStatus = { is: 'lost', withHost: true }
let used = 0

before(() => runtime.prepare(signal))
after(() => machine.close())

for (const [what, command, status] of [
  ['ends by SIGTERM', 'echo ready; sleep 1000', 143],
  [
    'ends well at SIGTERM',
    `trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done`,
    0,
  ],
] as const) {
  test(`a dyno that ${what} as its machine stops did not end by itself`, async () => {
    const { id } = await ready(command)
    stopInOrder(id)
    await until('it has exited', () => existsSync(region.files.of(id).exit))
    assert.equal(readFileSync(region.files.of(id).exit, 'utf8'), String(status))
    const seen = await statusOf(id)
    assert.ok(seen?.is === 'exited' && seen.status === status, 'in this boot it ended')

    makeOfAnEarlierBoot(region.files.of(id))
    assert.deepEqual(await statusOf(id), lostWithHost)
    await runtime.remove(id, signal)
    assert.equal(await statusOf(id), undefined)
  })
}

test('nor did one that was not begun yet, whatever process has its number by now', async () => {
  const dyno = await ready('echo ready; sleep 1000')
  const files = region.files.of(dyno.id)
  rmSync(files.started)
  assert.deepEqual(await statusOf(dyno.id), { is: 'created' })

  makeOfAnEarlierBoot(files)
  assert.deepEqual(await statusOf(dyno.id), lostWithHost)
  await runtime.start(dyno, signal)
  assert.deepEqual(await statusOf(dyno.id), lostWithHost)
  stopInOrder(dyno.id)
  await until('it has exited', () => existsSync(files.exit))
  assert.deepEqual(await statusOf(dyno.id), lostWithHost)
  await runtime.remove(dyno.id, signal)
})

/** As the last that systemd does: SIGTERM to every process, monitors too. */
function stopInOrder(id: DynoId): void {
  const cgroups = region.cgroupsOf(id)
  for (const pid of [...cgroups.monitors(), ...cgroups.processes()]) {
    signalProcess(pid, 'SIGTERM')
  }
}

async function ready(command: string): Promise<DynoSpec> {
  const dyno = aDynoSpec({ command, address: machine.address(used++) })
  await runtime.start(dyno, signal)
  await until(
    'it has printed',
    async () => (await runtime.output(dyno.id, 0, signal)).text !== '',
  )
  return dyno
}

async function statusOf(id: DynoId): Promise<DynoStatus | undefined> {
  return (await runtime.status([id], signal)).get(id)
}
