/**
 * crun compiles a container's seccomp profile into the kernel's language, and leaves that in
 * the container's state. All dynos have the same profile: what was made for the first one
 * of a process is given to crun for all others, and spares each some milliseconds.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { seccompProfile } from './seccomp.ts'

type Profile = ReturnType<typeof seccompProfile>

export class CompiledFilter {
  #of: Profile | undefined
  #compiled: string | undefined

  /** The annotation that has crun take it instead of compiling; none before it is known. */
  annotations(profile: Profile): Readonly<Record<string, string>> {
    if (!this.#compiled || this.#of !== profile) return {}
    return { 'run.oci.seccomp_bpf_data': this.#compiled }
  }

  /** Takes what crun made for a container with that profile from its state directory. */
  learn(profile: Profile, crunState: string): void {
    const file = join(crunState, 'seccomp.bpf')
    if (this.#compiled || !existsSync(file)) return
    this.#of = profile
    this.#compiled = readFileSync(file).toString('base64') || undefined
  }
}
