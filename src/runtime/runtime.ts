import { KiB } from '../lib/bytes.ts'
import type { DynoId, EntryId } from '../model/ids.ts'
import type { Size } from '../model/size.ts'

/** Bytes that `output` tells at once. */
export const LARGEST_OUTPUT = 64 * KiB

/**
 * Where dynos run. A driver keeps no memory of its own: what it says of a dyno is read
 * back from what lies on the machine, so the manager may be killed at any moment and
 * another take over. What changes something may be repeated freely and then does nothing:
 * start what runs, terminate what was told so, kill what is gone, enter a second time.
 */
export interface Runtime {
  /** Makes the machine ready for this region: networks, firewall. Idempotent. */
  prepare(signal: AbortSignal): Promise<void>
  /**
   * Ensures that the dyno's process was started, once; resolves when it has been. That may take a
   * while, in which `status` knows of the dyno, from the call on. A RuntimeError
   * `slug_unverified` while it is not yet known whether the slug is what was built: `watch` tells
   * when it is.
   */
  start(dyno: DynoSpec, signal: AbortSignal): Promise<void>
  /** SIGTERM, once, to every process in the dyno. `status` remembers that it was sent. */
  terminate(id: DynoId, signal: AbortSignal): Promise<void>
  /** SIGHUP to every process in the dyno, each time anew. */
  hangUp(id: DynoId, signal: AbortSignal): Promise<void>
  /** SIGKILL to every process in the dyno. */
  kill(id: DynoId, signal: AbortSignal): Promise<void>
  /**
   * Ensures that one more process was started inside a running dyno: as its user, within its
   * limits, seeing what it sees. It is for a client, who finds it as an attachment's, and it
   * ends with the dyno. A dyno that does not run is a RuntimeError of code `not_running`, one in
   * which as many of them run as may, of code `too_many_entries`, one that cannot be entered, being a virtual
   * machine, of code `not_enterable`.
   */
  enter(id: DynoId, entry: Entry, signal: AbortSignal): Promise<void>
  /**
   * Frees everything an ended or half-started dyno holds: files, mounts, network, address,
   * and what its client has not read yet. Kills it first if need be; a start that was asked for
   * and has not begun fails, and never does. `status` is undefined afterwards.
   */
  remove(id: DynoId, signal: AbortSignal): Promise<void>
  /** What is true of each of these dynos now; one that holds nothing here is absent. */
  status(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, DynoStatus>>
  /** What the processes of each of these use now; one that does not run is absent. */
  usage(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, MemoryUse>>
  /**
   * How many tasks of each of these, processes and threads, run or want to at this moment; one
   * that does not run is absent.
   */
  runnable(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, number>>
  /**
   * The status that a running dyno answers GET `path` with on its own port; undefined when no
   * answer has begun within `timeout`. Redirects are not followed, bodies not read.
   */
  probe(id: DynoId, probe: Probe, signal: AbortSignal): Promise<number | undefined>
  /** What all dynos together may be given of this machine. */
  capacity(signal: AbortSignal): Promise<Capacity>
  /**
   * Copies what was written to a volume with a limit into a new directory, whole or not at
   * all, and says whether it is there, and on disk. It may take longer than a look: then it goes
   * on by itself, also without us, and one asks again. No dyno that has the volume is left. A
   * RuntimeError `too_large`, `too_many_files`, `no_disk_room` or `path_too_long` where it must not, or
   * cannot, be copied.
   */
  copyOut(copy: Copy, signal: AbortSignal): Promise<boolean>
  /** Removes a copy, or what there is of it, and says whether it is gone; else one asks again. */
  removeCopy(copy: Omit<Copy, 'most'>, signal: AbortSignal): Promise<boolean>
  /** Every dyno that holds anything here, ended ones included. */
  list(signal: AbortSignal): Promise<readonly DynoId[]>
  /**
   * What the dyno printed (stdout and stderr as they came), from byte `offset` of its
   * output on, at most LARGEST_OUTPUT. For builds; the logs of apps are read by `logs`.
   */
  output(id: DynoId, offset: number, signal: AbortSignal): Promise<Output>
  /**
   * Calls back soon after a dyno's status changed (it ended, it listens) or its slug was
   * verified, until the signal aborts. A hint: it may come late, twice or, rarely, not at all.
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
  /** `SHA256:<hex>` of the slug's tree, compared before it is first run. Undefined: not known. */
  readonly slugChecksum?: string
  /** The account that answers for the slug's app: what is done before dynos start takes turns by it. */
  readonly tenant?: string
  /** Seen at /etc/heroku/dyno: what the dyno may know of itself, as JSON. */
  readonly metadata?: string
  /** Files of the data directory to be seen inside, beside the stack and the slug. */
  readonly volumes: readonly Volume[]
  /** Undefined: what it prints goes to its log, and it has nothing to read. */
  readonly attachment?: Attachment
}

/**
 * A client talks to the process, by a stream that `rendezvous` connects to: raw bytes both
 * ways, nothing of it in a log. What is printed before the client has come, it gets then.
 */
export interface Attachment {
  /** Undefined: pipes. Standard output and error are one; its input can be ended. */
  readonly terminal: Terminal | undefined
}

export interface Terminal {
  readonly columns: number
  readonly rows: number
}

/** A process to be started inside a running dyno. */
export interface Entry {
  /** A UUID, by which its client finds it. */
  readonly id: EntryId
  /** Run as a dyno's own: `bash -c command` in /app, after .profile.d. */
  readonly command: string
  /** Complete. */
  readonly environment: Readonly<Record<string, string>>
  readonly terminal: Terminal | undefined
}

/** Bytes. */
export interface MemoryUse {
  readonly rss: number
  /** Of files; the kernel takes it back when it must. */
  readonly cache: number
  /** The part of the cache that it can't take back: tmpfs and shared memory. */
  readonly shared: number
  readonly swap: number
  /** Pages that came and went; undefined where the kernel does not count them. */
  readonly pages?: { readonly in: number; readonly out: number }
  /** For memory, its own or the machine's, the kernel killed one of its processes, maybe not its main one. */
  readonly outOfMemory: boolean
}

export interface Probe {
  /** With a leading slash. */
  readonly path: string
  /** Milliseconds. */
  readonly timeout: number
}

export interface Capacity {
  /** Bytes, counted by the quotas of sizes. */
  readonly memory: number
  /**
   * Bytes that all dynos' disks together may become, what they hold already included; Infinity
   * where dynos have no disks of a limited size, or no end of them.
   */
  readonly disk: number
  /** Bytes that one dyno may write at most, of whatever size it is; 0 where there is no end. */
  readonly diskOfDyno: number
}

export interface Volume {
  /** A file or directory, relative to the data directory. */
  readonly from: string
  /** Absolute path inside the dyno. */
  readonly at: string
  /** Whether the dyno's user may write. What it writes belongs to one uid of no account on disk. */
  readonly writable: boolean
  /**
   * Bytes that it may hold. Then `from` is a directory of the driver's own, which keeps what
   * is written from dyno to dyno; `copyOut` gets at it.
   */
  readonly limit?: number
}

export type DynoStatus =
  /** Prepared in part or about to be, its process not started: `start` goes on from here. */
  | { readonly is: 'created' }
  | {
      readonly is: 'running'
      readonly startedAt: Date
      /** Its port is bound on an address that the router reaches. */
      readonly listening: boolean
      /** SIGTERM was sent. */
      readonly terminated: boolean
      /** Its monitor died: nobody would tell of its end, or take what it prints. Absent: all is well. */
      readonly monitored?: false
    }
  | {
      readonly is: 'exited'
      readonly startedAt: Date
      readonly at: Date
      /** The process's own, or 128 + signal. */
      readonly status: number
      /** At its own hard limit. */
      readonly outOfMemory: boolean
      /** The kernel killed in it because all dynos together, or the machine, had no more. Absent: it did not. */
      readonly hostOutOfMemory?: true
    }
  /** It is gone, and nothing tells how it ended: the machine or its monitor died. */
  | {
      readonly is: 'lost'
      /** The machine was started anew since it was prepared; how it ended is then not asked. Absent: it was not. */
      readonly withHost?: true
    }

export interface Output {
  readonly text: string
  /** Where to go on. */
  readonly offset: number
}

/** Both paths are relative to the data directory. */
export interface Copy {
  readonly from: string
  readonly to: string
  /** As somebody reads them who follows every name: holes and repeated links count. */
  readonly most: { readonly bytes: number; readonly files: number }
}

/** Why a driver could not do as told. `code` decides what the manager does next. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code:
    | 'slug_missing'
    | 'slug_checksum'
    | 'slug_unverified'
    | 'not_running'
    | 'too_many_entries'
    | 'not_enterable'
    | 'too_large'
    | 'too_many_files'
    | 'no_disk_room'
    | 'path_too_long'
    | 'failed'

  constructor(code: RuntimeError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** What lies there is not what was built: R17. Its code is `slug_checksum`. */
export class SlugChecksumError extends RuntimeError {
  readonly expected: string
  readonly actual: string

  constructor(expected: string, actual: string) {
    super('slug_checksum', `The slug's checksum is ${actual}, not ${expected}.`)
    this.expected = expected
    this.actual = actual
  }
}
