/**
 * Whether krun can be used here. That there is a /dev/kvm does not say it: some boot no ordinary kernel, and
 * one that is not booted hangs. So a machine is started once that does next to nothing.
 */

import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { MiB } from '../../lib/bytes.ts'
import { SECOND } from '../../lib/clock.ts'
import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import { programNamed } from '../../lib/finding.ts'
import { runProgram } from '../../lib/run-program.ts'
import { beginMonitor } from './begin-monitor.ts'
import { CONFIG_INSIDE } from './machine.ts'
import { firstPresent } from './region.ts'

const KVM = '/dev/kvm'
/** A machine is up within one; where processors are emulated it takes twenty. */
const STARTS_WITHIN = 60 * SECOND
const NOBODY = 65534

/** What stands in the way of krun, as a sentence; undefined: nothing. It needs root. */
export async function whyNoMachine(): Promise<string | undefined> {
  const krun = programNamed('krun')
  if (!krun) return 'krun is not on this machine.'
  if (process.getuid?.() !== 0) return 'krun can only be tried by root.'
  if (!existsSync(KVM)) return `krun needs ${KVM}, and there is none.`
  // Needs no other file to run.
  const program = firstPresent('/usr/bin/tini-static')
  if (!program) return 'krun cannot be tried without tini-static: apt-get install tini.'
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-krun-'))
  const id = `mayfly-${randomUUID()}`
  const call = ['--root', join(directory, 'state'), '--cgroup-manager=disabled']
  try {
    for (const name of ['dev', 'proc', 'sys', 'tmp']) {
      await mkdir(join(directory, 'root', name), { recursive: true })
    }
    await copyFile(program, join(directory, 'root', 'program'))
    await writeFile(join(directory, 'config.json'), JSON.stringify(CONFIG))
    // Older ones of krun make it root's alone.
    await writeFile(join(directory, 'root', CONFIG_INSIDE), '')
    const signal = AbortSignal.timeout(STARTS_WITHIN)
    // As a dyno's is begun: of hybrid cgroups crun must not see the second.
    const { hybridMount } = presentCgroups()
    const begin = beginMonitor({ cgroups: [], hybridMount })
    const run = [krun, ...call, 'run', '--bundle', directory, id]
    await runProgram(['env', ...begin, ...run], { signal })
    return undefined
  } catch (error) {
    return `krun starts no virtual machine here: ${why(error)}.`
  } finally {
    await runProgram([krun, ...call, 'delete', '--force', id]).catch(() => {})
    await rm(directory, { recursive: true })
  }
}

function why(error: unknown): string {
  const { name, message } = error as Error
  if (name === 'AbortError' || name === 'TimeoutError') {
    return `one was not up within ${STARTS_WITHIN / SECOND} seconds`
  }
  return message.trim().replace(/\.$/, '')
}

const CONFIG = {
  ociVersion: '1.0.2',
  process: {
    user: { uid: NOBODY, gid: NOBODY },
    args: ['/program', '--version'],
    env: ['PATH=/'],
    cwd: '/',
    noNewPrivileges: true,
  },
  root: { path: 'root' },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=0755'] },
  ],
  linux: {
    // How large the machine is to be.
    resources: { memory: { limit: 256 * MiB } },
    namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
  },
}
