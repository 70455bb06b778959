import type { Finding } from '../../src/lib/finding.ts'
import type { OciRuntimeName } from '../../src/model/oci-runtimes.ts'
import { kataIsHere, presentOciRuntimes } from '../../src/runtime/local/oci-runtime.ts'
import { whyNoMachine } from '../../src/runtime/local/try-machine.ts'
import { parsed } from './arguments.ts'
import { examineMachine } from './machine.ts'

/** 0 only if the machine lacks nothing. */
export async function doctor(args: string[]): Promise<number> {
  parsed({ args, options: {} })
  const findings = await examineMachine()
  const present = presentOciRuntimes()
  const whyNoKrun = present.includes('krun') ? await whyNoMachine() : undefined
  const lines = doctorLines(findings, present, whyNoKrun, kataIsHere())
  for (const it of lines) console.log(it)
  return findings.some((it) => it.lacks !== undefined) ? 1 : 0
}

/** `whyNoKrun`: where krun is present, why it starts nothing; undefined: it does. */
export function doctorLines(
  findings: readonly Finding[],
  present: readonly OciRuntimeName[],
  whyNoKrun: string | undefined,
  kata: boolean,
): string[] {
  const lacks = findings.flatMap((it) => it.lacks ?? [])
  const disks = findings.find((it) => it.what === 'disks')
  return [
    ...lacks,
    `OCI runtimes on this machine: ${present.join(', ') || 'none'}.`,
    ...(present.includes('krun')
      ? [
          whyNoKrun ?? 'krun starts virtual machines here.',
          'Nothing is started inside its dynos: heroku ps:exec, run:inside.',
        ]
      : []),
    ...(kata
      ? [
          'Kata is on this machine and cannot be chosen: since version 2 it lacks the command line of OCI runtimes. krun makes virtual machines, too.',
        ]
      : []),
    ...(disks && disks.lacks === undefined
      ? ['Disks of dynos: sparse images with ext4, on loop devices.']
      : []),
    ...(lacks.length === 0 ? ['This machine has all that Mayfly needs.'] : []),
  ]
}
