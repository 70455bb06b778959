import { examineMachine } from '../../src/installation/machine.ts'
import { parsed } from './arguments.ts'

/** 0 only if the machine lacks nothing. */
export async function doctor(args: string[]): Promise<number> {
  parsed({ args, options: {} })
  const findings = await examineMachine()
  for (const { what, lacks } of findings) console.log(lacks ?? `${what}: ok`)
  return findings.every((it) => it.lacks === undefined) ? 0 : 1
}
