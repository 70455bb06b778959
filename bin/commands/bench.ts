import { parseArgs } from 'node:util'

import { bench as measure } from '../../bench/bench.ts'

/** Measures the figures of the performance specification: all of them, or those named. */
export async function bench(args: string[]): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  return measure(positionals)
}
