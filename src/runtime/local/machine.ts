/**
 * What a dyno that is a virtual machine, krun's, needs beside what any has: its processes are its own
 * kernel's, so its command, signals and ends for memory go by files (`machine-init.pl`, the first program inside).
 */

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

import { KiB, MiB } from '../../lib/bytes.ts'
import type { DynoSpec } from '../runtime.ts'
import type { Mapping } from './begin-monitor.ts'
import type { DynoFiles } from './dyno-files.ts'

export const MACHINE_INIT = join(import.meta.dirname, 'machine-init.pl')

/** libkrun's most. */
const MOST_PROCESSORS = 16
/** Bytes of a dyno's memory that the monitor of its machine takes itself. */
const ITS_MONITORS = 64 * MiB

/** Where krun writes the configuration for its machine, in the root file system that it was given. */
export const CONFIG_INSIDE = '.krun_config.json'
/** Where it reads how large the machine is to be. */
export const SIZE = '.krun_vm.json'
export const MACHINE_SIGNALS = '.mayfly_signals'
export const MACHINE_COMMAND = '.mayfly_command'
/** A byte for each signal, which is another after each that is sent: printable, and in turn. */
const NO_SIGNALS = '--'
const PLACES = { SIGTERM: 0, SIGHUP: 1 } as const
const [FIRST_BYTE, LAST_BYTE] = [0x2d, 0x7e]

/**
 * Whose the first program inside is: libkrun's own takes the first `uid` and `gid` that it reads in the whole
 * configuration, which crun heeds as annotations no more. So it is root there while its monitor is the dyno's user. Where
 * that is read otherwise, the program is that user from the beginning.
 */
export const MACHINES_ROOT = { uid: '0', gid: '0' } as const

/** As `machine-init.pl` says it. */
const FOR_MEMORY = 'Killed for memory: the dyno has no more.'
const LAST = 4 * KiB

/** Of Linux. */
const RLIMIT = { core: 4, processes: 6, files: 7 }

/** How large the machine is: all of the dyno's memory but what it takes itself. */
export function machineSize({ size }: Pick<DynoSpec, 'size'>): string {
  const memory = Math.floor((size.hardMemory - ITS_MONITORS) / MiB)
  const processors = Math.min(availableParallelism(), MOST_PROCESSORS)
  return JSON.stringify({ cpus: processors, ram_mib: memory })
}

/**
 * What libkrun's own first program is told, which is root inside: the limits. The dyno's variables and command go
 * by a file of ours, for that program heeds some by their names, reads no more than so many, and is then
 * root's shell.
 */
export function machineEnvironment({
  id,
  size,
}: Pick<DynoSpec, 'id' | 'size'>): Readonly<Record<string, string>> {
  const limits = [
    [RLIMIT.core, 0, 0],
    [RLIMIT.processes, size.processes, size.processes],
    [RLIMIT.files, size.openFiles, size.hardOpenFiles],
  ]
  const told = limits.map(([what, soft, hard]) => `${what}=${soft}:${hard}`).join(',')
  return { HOSTNAME: id, KRUN_RLIMITS: told }
}

/**
 * Files for a dyno's machine, whose first process is to be `command`; `at`: where they are while its directory
 * is made.
 */
export function writeMachineFiles(
  dyno: DynoSpec,
  command: readonly string[],
  files: DynoFiles,
  at: (file: string) => string,
): void {
  const environment = Object.entries(dyno.environment).map((it) => it.join('='))
  // With the dyno's variables in it: its user reads it where it is mounted, and here nobody comes to it.
  mkdirSync(dirname(at(files.machineConfig)), { mode: 0o700 })
  writeFileSync(at(files.machineConfig), '')
  writeFileSync(at(files.machineCommand), [...environment, '', ...command].join('\0'))
  writeFileSync(at(files.machineSize), machineSize(dyno))
  writeFileSync(at(files.signals), NO_SIGNALS)
}

/** krun writes its configuration into the root file system, which is all dynos': each has a file of its own there. */
export function machineMappings({ machineConfig }: DynoFiles, rootfs: string): Mapping[] {
  const its = { uid: 0, gid: 0, user: 0, withRoot: false }
  return [{ ...its, source: machineConfig, at: join(rootfs, CONFIG_INSIDE) }]
}

/** Where a dyno's files are mounted there must be some. A stack has none of these. */
export function ensureMachinePlaces(rootfs: string): void {
  for (const name of [CONFIG_INSIDE, SIZE, MACHINE_SIGNALS, MACHINE_COMMAND]) {
    const path = join(rootfs, name)
    if (!existsSync(path)) writeFileSync(path, '', { flag: 'a' })
  }
}

export function signalMachine({ signals }: DynoFiles, signal: keyof typeof PLACES): void {
  const at = PLACES[signal]
  const file = openSync(signals, 'r+')
  try {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, at)
    const before = byte.readUInt8()
    byte.writeUInt8(before < LAST_BYTE ? before + 1 : FIRST_BYTE)
    writeSync(file, byte, 0, 1, at)
  } finally {
    closeSync(file)
  }
}

/** Whether its kernel ended one of its processes for memory, as the end of its log says. */
export function ranOutOfMemory({ log }: DynoFiles): boolean {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return false
  const file = openSync(log, 'r')
  try {
    const end = Buffer.alloc(LAST)
    const read = readSync(file, end, 0, LAST, Math.max(0, size - LAST))
    return end.toString('utf8', 0, read).includes(`${FOR_MEMORY}\n`)
  } finally {
    closeSync(file)
  }
}
