import type { DynoId } from '../model/ids.ts'
import type { Size } from '../model/size.ts'

/**
 * Where dynos run. A driver keeps no memory of its own: what it says of a dyno is read
 * back from what lies on the machine, so the manager may be killed at any moment and
 * another take over. Everything but `status` and `output` may be repeated freely and then
 * does nothing: start what runs, terminate what was told so, kill what is gone.
 */
export interface Runtime {
  /** Makes the machine ready for this region: networks, firewall. Idempotent. */
  prepare(signal: AbortSignal): Promise<void>
  /** Ensures that the dyno's process was started, once; resolves when it has been. */
  start(dyno: DynoSpec, signal: AbortSignal): Promise<void>
  /** SIGTERM, once, to every process in the dyno. `status` remembers that it was sent. */
  terminate(id: DynoId, signal: AbortSignal): Promise<void>
  /** SIGKILL to every process in the dyno. */
  kill(id: DynoId, signal: AbortSignal): Promise<void>
  /**
   * Frees everything an ended or half-started dyno holds: files, mounts, network, address.
   * Kills it first if need be. `status` is undefined afterwards.
   */
  remove(id: DynoId, signal: AbortSignal): Promise<void>
  /** What is true of each of these dynos now; one that holds nothing here is absent. */
  status(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, DynoStatus>>
  /** Every dyno that holds anything here, ended ones included. */
  list(signal: AbortSignal): Promise<readonly DynoId[]>
  /**
   * What the dyno printed (stdout and stderr as they came), from byte `offset` of its
   * output on, at most 64 KiB. For builds; the logs of apps are read by `logs`.
   */
  output(id: DynoId, offset: number, signal: AbortSignal): Promise<Output>
  /**
   * Calls back soon after a dyno's status changed (it ended, it listens), until the
   * signal aborts. A hint: it may come late, twice or, rarely, not at all.
   */
  watch(changed: (id: DynoId) => void, signal: AbortSignal): void
}

export interface DynoSpec {
  readonly id: DynoId
  /** `web.1`. */
  readonly name: string
  /** IPv4, in the region's subnet; nobody else's until `remove` is done. */
  readonly address: string
  /** `status` says whether a web dyno listens here. Undefined: not looked at. */
  readonly port?: number
  readonly size: Size
  /** Complete; the driver adds nothing to it. */
  readonly environment: Readonly<Record<string, string>>
  /** Run as `bash -c command` in /app, after .profile.d. */
  readonly command: string
  readonly stack: string
  /** The slug at /app, under the dyno's own ephemeral layer; undefined: an empty /app. */
  readonly slug?: string
  /** Files of the data directory to be seen inside, beside the stack and the slug. */
  readonly volumes: readonly Volume[]
}

export interface Volume {
  /** A file or directory, relative to the data directory. */
  readonly from: string
  /** Absolute path inside the dyno. */
  readonly at: string
  /** Whether the dyno's user may write. What it writes belongs to one uid of no account on disk. */
  readonly writable: boolean
}

export type DynoStatus =
  /** Prepared in part, its process not started: `start` goes on from here. */
  | { readonly is: 'created' }
  | {
      readonly is: 'running'
      readonly startedAt: Date
      /** Its port is bound on an address that the router reaches. */
      readonly listening: boolean
      /** SIGTERM was sent. */
      readonly terminated: boolean
    }
  | {
      readonly is: 'exited'
      readonly startedAt: Date
      readonly at: Date
      /** The process's own, or 128 + signal. */
      readonly status: number
      readonly outOfMemory: boolean
    }
  /** It ran, it is gone, and nothing tells how it ended: the machine or its monitor died. */
  | { readonly is: 'lost' }

export interface Output {
  readonly text: string
  /** Where to go on. */
  readonly offset: number
}

/** Why a driver could not do as told. `code` decides what the manager does next. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: 'slug_missing' | 'no_capacity' | 'failed'

  constructor(code: RuntimeError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
