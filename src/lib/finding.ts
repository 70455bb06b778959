/** What examining a machine finds, thing by thing. */

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const DIRECTORIES = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
]

export interface Finding {
  readonly what: string
  /** A sentence that says what is missing; undefined: nothing. */
  readonly lacks: string | undefined
  /** Nothing works without it; otherwise something does less than it could. */
  readonly needed: boolean
}

/** `lack` is what to say where it is not there. */
export function needed(what: string, isThere: boolean, lack: string): Finding {
  return { what, lacks: isThere ? undefined : lack, needed: true }
}

export function wished(what: string, isThere: boolean, lack: string): Finding {
  return { what, lacks: isThere ? undefined : lack, needed: false }
}

/** `programs`: each with the Debian package that brings it. */
export function neededPrograms(programs: Readonly<Record<string, string>>): Finding[] {
  return Object.entries(programs).map(([program, debian]) =>
    needed(
      program,
      programNamed(program) !== undefined,
      `The program ${program} is missing: apt-get install ${debian}.`,
    ),
  )
}

/** Where the program lies, if the machine has it. */
export function programNamed(name: string): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
