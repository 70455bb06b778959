/** A machine's own part for a test of the local runtime. It needs root, and the stack, which is built once. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freeSubnets, usedNetworks } from '../src/installation/free-subnets.ts'
import { silentLog } from '../src/lib/log.ts'
import { demolish } from '../src/runtime/local/demolish.ts'
import { ensureStack } from '../src/runtime/local/ensure-stack.ts'
import type { LocalRuntimeOptions } from '../src/runtime/local/region.ts'
import { runProgram } from '../src/runtime/local/run-program.ts'
import { noteInstallation } from './note-installation.ts'

const STACKS = process.env['MAYFLY_STACKS'] ?? '/var/cache/mayfly/stacks'
const REGION = 'us'

export interface LocalMachine {
  readonly options: LocalRuntimeOptions
  /** The nth address for a dyno, n from 0. */
  readonly address: (n: number) => string
  readonly close: () => Promise<void>
}

let taken = 0

/**
 * The first three bytes of one that nothing on the machine uses. Tests run side by side, each in a
 * process with a number of its own, so two that choose at once seldom choose the same.
 */
async function freeNetwork(): Promise<string> {
  const seed = process.pid * 4 + taken++
  const [subnet = ''] = freeSubnets(1, await usedNetworks(), seed)
  const [first, second, third] = subnet.split('.')
  return `${first}.${second}.${Number(third) + (seed % 64)}`
}

/** An installation of the test's own; `close` fails if it leaves anything behind. */
export async function aLocalMachine(): Promise<LocalMachine> {
  await ensureStack(STACKS, 'debian-12', () => undefined)
  const root = await mkdtemp(join(tmpdir(), 'mayfly-local-'))
  await runProgram('chmod', ['711', root])
  const installation = randomBytes(3).toString('hex')
  noteInstallation(installation)
  const network = await freeNetwork()
  const its = {
    installation,
    region: REGION,
    subnet: `${network}.0/24`,
    root,
    stacks: STACKS,
    slugs: join(root, 'slugs'),
    dynos: join(root, 'dynos', REGION),
    endedLogs: join(root, 'logs', 'ended'),
    log: silentLog,
  }
  return { options: its, address: (n: number) => `${network}.${2 + n}`, close }

  async function close(): Promise<void> {
    await demolish(its, { grace: 0 })
    await rm(root, { recursive: true })
    const left = [
      ...(await runProgram('ip', ['-brief', 'link'])).split('\n'),
      ...(await runProgram('ip', ['netns'])).split('\n'),
      ...(await runProgram('nft', ['list', 'tables'])).split('\n'),
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
  return runProgram('losetup', ['--all'])
}
