import { SECOND } from '../../lib/clock.ts'
import { runProgram } from '../../lib/run-program.ts'
import { within } from '../../lib/within.ts'
import type { DynoId } from '../../model/ids.ts'
import { beginMonitor } from './begin-monitor.ts'
import { callOf, type OciRuntime } from './oci-runtime.ts'
import { processStatus } from './process-status.ts'
import type { LocalRegion } from './region.ts'

const ANSWERS_WITHIN = 20 * SECOND

/** It has not ended yet: what it was asked to do may still come true. */
export class LateAnswer extends Error {
  override readonly name = 'LateAnswer'
}

interface Question {
  /** And what comes after the dyno's id. */
  readonly command: readonly string[]
  readonly id: DynoId
  /** Of the first process of its container. */
  readonly pid: number
}

/**
 * Has the OCI runtime do something with a dyno's container, and resolves to what it prints: gVisor
 * is spoken to by a socket that only the dyno's own network has. Rejects with a LateAnswer where it takes
 * longer than 20 seconds; it is not cut off then, nor when we die: it would have done its work, and not written
 * that down.
 */
export async function askOciRuntime(
  region: LocalRegion,
  runtime: OciRuntime,
  { command, id, pid }: Question,
): Promise<string> {
  const { program, settings } = callOf(runtime, region.files)
  const network = { pid, ticks: processStatus(pid)?.ticks ?? 0 }
  const begin = runtime.isKernel
    ? beginMonitor({ cgroups: [], hybridMount: undefined, network })
    : []
  const [verb = '', ...rest] = command
  const whole = [...begin, program, ...settings, verb, id, ...rest]
  // By MAYFLY_PART it would be taken for the manager.
  const env = ['--unset=MAYFLY_PART', ...whole]
  const asked = runProgram(['env', ...env], { detached: true })
  const printed = await within(ANSWERS_WITHIN, asked)
  if (printed !== undefined) return printed
  throw new LateAnswer(`${runtime.name} ${verb} ${id} has not ended yet`)
}
