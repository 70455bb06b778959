import { SECOND } from '../lib/clock.ts'
import type { RouterPaths } from './router-paths.ts'
import type { TlsSettings } from './tls-rules.ts'

export interface RouterSettings {
  readonly paths: RouterPaths
  /** `127.0.0.1:8080`; as HAProxy's `bind` takes it. */
  readonly listen: readonly string[]
  /** Undefined: there is plain HTTP alone. */
  readonly tls: TlsSettings | undefined
  /** Where `logs` takes request lines. */
  readonly logSocket: string
  readonly maxConnections: number
  /** Whether HAProxy starts as root, and leaves it. */
  readonly asRoot: boolean
  readonly timeouts: RouterTimeouts
  /** The text of router.lua, which HAProxy reads as it starts. */
  readonly lua: string
}

/** Milliseconds. */
export interface RouterTimeouts {
  readonly connect: number
  /** Until a dyno's first byte: then H12. */
  readonly firstByte: number
  /** Of silence, once something was said. */
  readonly idle: number
  /** How long a request waits for its app's first dyno: then H20. */
  readonly boot: number
}

export const HEROKU_TIMEOUTS: RouterTimeouts = {
  connect: 5 * SECOND,
  firstByte: 30 * SECOND,
  idle: 55 * SECOND,
  boot: 75 * SECOND,
}
