import { presentOciRuntimes } from '../../src/runtime/local/oci-runtime.ts'
import { parsed } from './arguments.ts'
import { examineMachine } from './machine.ts'

/** 0 only if the machine lacks nothing. */
export async function doctor(args: string[]): Promise<number> {
  parsed({ args, options: {} })
  const sentences = (await examineMachine()).flatMap((it) => it.lacks ?? [])
  for (const it of sentences) console.log(it)
  console.log(
    `OCI runtimes on this machine: ${presentOciRuntimes().join(', ') || 'none'}.`,
  )
  if (sentences.length === 0) console.log('This machine has all that Mayfly needs.')
  return sentences.length === 0 ? 0 : 1
}
