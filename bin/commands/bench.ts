import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { Refusal } from '../../src/installation/refusal.ts'
import { runToTerminal } from './run-checks.ts'
import { program } from './settings.ts'

/** Measures the figures of the performance specification. */
export async function bench(args: string[]): Promise<number> {
  const file = join(program, 'bench', 'bench.ts')
  if (!existsSync(file)) throw new Refusal('There is nothing to measure yet.')
  return runToTerminal([process.execPath, file, ...args], { cwd: program })
}
