import { presentOciRuntimes } from '../../src/runtime/local/oci-runtime.ts'
import { whyNoMachine } from '../../src/runtime/local/try-machine.ts'
import { parsed } from './arguments.ts'
import { examineMachine } from './machine.ts'

/** 0 only if the machine lacks nothing. */
export async function doctor(args: string[]): Promise<number> {
  parsed({ args, options: {} })
  const findings = await examineMachine()
  const sentences = findings.flatMap((it) => it.lacks ?? [])
  for (const it of sentences) console.log(it)
  const present = presentOciRuntimes()
  console.log(`OCI runtimes on this machine: ${present.join(', ') || 'none'}.`)
  if (present.includes('krun')) {
    console.log((await whyNoMachine()) ?? 'krun starts virtual machines here.')
    console.log('Nothing is started inside its dynos: heroku ps:exec, run:inside.')
  }
  const disks = findings.find((it) => it.what === 'disks')
  if (disks && disks.lacks === undefined)
    console.log('Disks of dynos: sparse images with ext4, on loop devices.')
  if (sentences.length === 0) console.log('This machine has all that Mayfly needs.')
  return sentences.length === 0 ? 0 : 1
}
