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

  /**
   * The profile as a container's configuration has it: in full, or, once it is known, compiled.
   * A crun that looked past what is compiled would refuse such a container every call.
   */
  configured(profile: Profile): {
    readonly annotations: Readonly<Record<string, string>>
    readonly seccomp: Profile
  } {
    if (!this.#compiled || this.#of !== profile) {
      return { annotations: {}, seccomp: profile }
    }
    return {
      annotations: { 'run.oci.seccomp_bpf_data': this.#compiled },
      seccomp: { ...profile, syscalls: [] },
    }
  }

  /** Takes what crun made for a container with that profile from its state directory. */
  learn(profile: Profile, crunState: string): void {
    const file = join(crunState, 'seccomp.bpf')
    if (this.#compiled || !existsSync(file)) return
    this.#of = profile
    this.#compiled = readFileSync(file).toString('base64') || undefined
  }
}
