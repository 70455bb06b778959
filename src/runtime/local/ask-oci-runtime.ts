import { SECOND } from '../../lib/clock.ts'
import type { DynoId } from '../../model/ids.ts'
import { beginMonitor } from './begin-monitor.ts'
import { callOf, type OciRuntime } from './oci-runtime.ts'
import { processStatus } from './process-status.ts'
import type { LocalRegion } from './region.ts'
import { runProgram } from './run-program.ts'

const ANSWERS_WITHIN = 20 * SECOND

/**
 * Has the OCI runtime do something with a dyno's container, whose first process is `pid`: gVisor
 * is spoken to by a socket that only the dyno's own network has.
 */
export async function askOciRuntime(
  region: LocalRegion,
  runtime: OciRuntime,
  {
    command,
    id,
    pid,
  }: { readonly command: readonly string[]; readonly id: DynoId; readonly pid: number },
): Promise<void> {
  const { program, settings } = callOf(runtime, region.files)
  const network = { pid, ticks: processStatus(pid)?.ticks ?? 0 }
  const begin = runtime.isKernel
    ? beginMonitor({ cgroups: [], hybridMount: undefined, network })
    : []
  const [verb = '', ...rest] = command
  const whole = [...begin, program, ...settings, verb, id, ...rest]
  await runProgram('env', whole, { signal: AbortSignal.timeout(ANSWERS_WITHIN) })
}
