/**
 * The programs that make a dyno's container, and in what they differ. All are told by the same OCI
 * configuration. crun starts dynos sooner.
 */

import { programNamed } from '../../lib/finding.ts'
import { OCI_RUNTIMES, type OciRuntimeName } from '../../model/oci-runtimes.ts'
import { RuntimeError } from '../runtime.ts'
import type { RuntimeCall } from './monitor.ts'

export interface OciRuntime {
  readonly name: OciRuntimeName
  /** What every call of it begins with, beside where its state lies. */
  readonly settings: readonly string[]
  /** It maps the owners of a mount where a configuration asks for it; else that is done before. */
  readonly mapsOwners: boolean
  /** It takes a filter of system calls that it has compiled before: see `compiled-filter.ts`. */
  readonly takesCompiledFilter: boolean
  /** A created container waits at a pipe for a byte; others are let go by a `start`. */
  readonly waitsAtPipe: boolean
}

const ALL: Readonly<Record<OciRuntimeName, OciRuntime>> = {
  crun: {
    name: 'crun',
    settings: ['--cgroup-manager=cgroupfs'],
    mapsOwners: true,
    takesCompiledFilter: true,
    waitsAtPipe: true,
  },
  runc: {
    name: 'runc',
    settings: [],
    // Since 1.2, which Debian 12 does not have.
    mapsOwners: false,
    takesCompiledFilter: false,
    waitsAtPipe: false,
  },
}

export function ociRuntime(name: OciRuntimeName): OciRuntime {
  return ALL[name]
}

/** A RuntimeError where the machine does not have it. `state`: the directory of what it keeps. */
export function callOf({ name, settings }: OciRuntime, state: string): RuntimeCall {
  const program = programNamed(name)
  if (program !== undefined) return { program, settings: ['--root', state, ...settings] }
  throw new RuntimeError(
    'failed',
    `The OCI runtime ${name} is not on this machine: apt-get install ${name}.`,
  )
}

export function presentOciRuntimes(): OciRuntimeName[] {
  return OCI_RUNTIMES.filter((name) => programNamed(name) !== undefined)
}
