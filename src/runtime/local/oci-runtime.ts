/**
 * The programs that make a dyno's container, and in what they differ. All are told by the same OCI
 * configuration. crun starts dynos sooner.
 */

import { join } from 'node:path'

import { programNamed } from '../../lib/finding.ts'
import type { DynoId } from '../../model/ids.ts'
import { OCI_RUNTIMES, type OciRuntimeName } from '../../model/oci-runtimes.ts'
import { RuntimeError } from '../runtime.ts'
import type { RegionFiles } from './dyno-files.ts'
import type { RuntimeCall } from './monitor.ts'

export interface OciRuntime {
  readonly name: OciRuntimeName
  /** What every call of it begins with, beside where its state lies. */
  readonly settings: readonly string[]
  /** It maps the owners of a mount where a configuration asks for it; else that is done before. */
  readonly mapsOwners: boolean
  /** It takes a filter of system calls that it has compiled before: see `compiled-filter.ts`. */
  readonly takesCompiledFilter: boolean
  /**
   * A kernel of its own between the dyno and ours, gVisor's: it makes the dyno's users itself, knows
   * no overlay, speaks for the dyno on its network, and has signals given to it, not to processes.
   */
  readonly isKernel: boolean
  /** A virtual machine around the dyno, krun's: what runs in it is its kernel's, not ours. See `machine.ts`. */
  readonly isMachine: boolean
  /** What it keeps of a container in the directory of its state. */
  readonly keeps: (id: DynoId) => readonly string[]
  /** A created container waits at a pipe for a byte; others are let go by a `start`. */
  readonly waitsAtPipe: boolean
}

const ALL: Readonly<Record<OciRuntimeName, OciRuntime>> = {
  crun: {
    name: 'crun',
    settings: ['--cgroup-manager=cgroupfs'],
    mapsOwners: true,
    isKernel: false,
    keeps: (id) => [id],
    takesCompiledFilter: true,
    waitsAtPipe: true,
    isMachine: false,
  },
  runc: {
    name: 'runc',
    settings: [],
    // Since 1.2, which Debian 12 does not have.
    mapsOwners: false,
    isKernel: false,
    keeps: (id) => [id],
    takesCompiledFilter: false,
    waitsAtPipe: false,
    isMachine: false,
  },
  runsc: {
    name: 'runsc',
    settings: ['--network=sandbox'],
    mapsOwners: false,
    isKernel: true,
    // The socket since 2023; Debian 12's is in the dyno's network.
    keeps: (id) => [
      ...['lock', 'state'].map((it) => `${id}_sandbox:${id}.${it}`),
      `runsc-${id}.sock`,
    ],
    takesCompiledFilter: false,
    waitsAtPipe: false,
    isMachine: false,
  },
  // crun by another name, which it goes by.
  krun: {
    name: 'krun',
    settings: ['--cgroup-manager=cgroupfs'],
    mapsOwners: false,
    isKernel: false,
    keeps: (id) => [id],
    takesCompiledFilter: false,
    waitsAtPipe: true,
    isMachine: true,
  },
}

/** Where it is no package of Debian's. */
const HOW_TO_HAVE: Partial<Record<OciRuntimeName, string>> = {
  krun: 'docs/operating/oci-runtimes.md says how to have it',
}

const SHIM = join(import.meta.dirname, 'runsc.sh')

export function ociRuntime(name: OciRuntimeName): OciRuntime {
  return ALL[name]
}

/** A RuntimeError where the machine does not have it. */
export function callOf(
  { name, settings, isKernel }: OciRuntime,
  files: RegionFiles,
): RuntimeCall {
  const program = programNamed(name)
  if (program === undefined) {
    throw new RuntimeError(
      'failed',
      `The OCI runtime ${name} is not on this machine: ${HOW_TO_HAVE[name] ?? `apt-get install ${name}`}.`,
    )
  }
  const all = ['--root', files.stateOf(name), ...settings]
  return isKernel
    ? { program: SHIM, settings: [program, ...all] }
    : { program, settings: all }
}

/** Kata is none of them: docs/decisions/0010-oci-runtimes.md says why. Whoever has it should hear that. */
export function kataIsHere(): boolean {
  return ['kata-runtime', 'containerd-shim-kata-v2'].some((it) => programNamed(it))
}

export function presentOciRuntimes(): OciRuntimeName[] {
  return OCI_RUNTIMES.filter((name) => programNamed(name) !== undefined)
}
