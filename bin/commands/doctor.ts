import { examineMachine } from '../../src/installation/machine.ts'
import { unmetRequirements } from '../../src/runtime/local/unmet-requirements.ts'
import { parsed } from './arguments.ts'

/** 0 only if the machine lacks nothing. */
export async function doctor(args: string[]): Promise<number> {
  parsed({ args, options: {} })
  const [ours, runtimes] = await Promise.all([examineMachine(), unmetRequirements()])
  const lacking = ours.flatMap((it) => it.lacks ?? [])
  // What stops `up` comes first; the runtime knows of more that a dyno may miss.
  const sentences = lacking.length > 0 ? lacking : runtimes
  for (const it of sentences) console.log(it)
  if (sentences.length === 0) console.log('This machine has all that Mayfly needs.')
  return sentences.length === 0 ? 0 : 1
}
