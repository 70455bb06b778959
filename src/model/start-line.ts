import type { Dyno } from './dyno.ts'
import { dynoEnvironment, expandCommand } from './dyno-environment.ts'
import { startingProcess } from './dyno-lines.ts'
import type { ConfigVars } from './release.ts'

/** `Starting process with command …`, as the dyno's process will understand its command. */
export function startLine(
  dyno: Pick<Dyno, 'type' | 'ordinal' | 'port' | 'command'>,
  configVars: ConfigVars,
): string {
  return startingProcess(expandCommand(dyno.command, dynoEnvironment(dyno, configVars)))
}
