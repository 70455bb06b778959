/** A machine's own part for a test of the local runtime. It needs root, and the stack, which is built once. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freeSubnets, usedNetworks } from '../src/installation/free-subnets.ts'
import { silentLog } from '../src/lib/log.ts'
import { numberOf, textOf } from '../src/lib/ipv4.ts'
import { runProgram } from '../src/lib/run-program.ts'
import { subnetOf } from '../src/runtime/local/address.ts'
import { demolish } from '../src/runtime/local/demolish.ts'
import { ensureStack } from '../src/runtime/local/ensure-stack.ts'
import type { LocalRuntimeOptions } from '../src/runtime/local/region.ts'
import { claim } from './claim.ts'
import { noteInstallation } from './note-installation.ts'

const STACKS = process.env['MAYFLY_STACKS'] ?? '/var/cache/mayfly/stacks'
const REGION = 'us'

export interface LocalMachine {
  readonly options: LocalRuntimeOptions
  /** The nth address for a dyno, n from 0. */
  readonly address: (n: number) => string
  readonly close: () => Promise<void>
}

/**
 * One that nothing on the machine uses, as in `172.16.64.0/18`. A network is seen in use only once its
 * bridge is there, and tests that run side by side choose before: so each claims what it takes.
 */
export async function takeNetwork(): Promise<string> {
  const used = await usedNetworks()
  for (;;) {
    const [subnet = ''] = freeSubnets(1, used, process.pid)
    if (await claim(subnet)) return subnet
    used.push(subnet)
  }
}

/** An installation of the test's own; `close` fails if it leaves anything behind. */
export async function aLocalMachine(): Promise<LocalMachine> {
  await ensureStack(STACKS, 'debian-12', () => undefined)
  const root = await mkdtemp(join(tmpdir(), 'mayfly-local-'))
  await runProgram(['chmod', '711', root])
  const installation = randomBytes(3).toString('hex')
  noteInstallation(installation)
  const subnet = await takeNetwork()
  const first = numberOf(subnetOf(subnet).gateway) + 1
  const its = {
    installation,
    region: REGION,
    subnet,
    root,
    stacks: STACKS,
    slugs: join(root, 'slugs'),
    dynos: join(root, 'dynos', REGION),
    endedLogs: join(root, 'ended-logs'),
    log: silentLog,
  }
  return { options: its, address: (n: number) => textOf(first + n), close }

  async function close(): Promise<void> {
    await demolish(its, { grace: 0 })
    await rm(root, { recursive: true })
    const left = [
      ...(await runProgram(['ip', '-brief', 'link'])).split('\n'),
      ...(await runProgram(['ip', 'netns'])).split('\n'),
      ...(await runProgram(['nft', 'list', 'tables'])).split('\n'),
      ...readFileSync('/proc/mounts', 'utf8').split('\n'),
      ...(await loopDevices()).split('\n'),
      // Not deeper: others' cgroups come and go meanwhile.
      ...globSync('/sys/fs/cgroup/{mayfly-*,*/mayfly-*}'),
    ]
    assert.deepEqual(
      left.filter((line) => line.includes(installation) || line.includes(root)),
      [],
    )
  }
}

export function loopDevices(): Promise<string> {
  return runProgram(['losetup', '--all'])
}
