import { type Clock, MINUTE } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { ServedCertificate } from '../model/served-certificate.ts'

/** HAProxy may be another by then, and a full disk no longer full. */
const TRIED_AGAIN_AFTER = 5 * MINUTE

/**
 * Certificates that cannot be had, or that HAProxy refuses: the log hears of each once, and none
 * is in the way of others.
 */
export class LeftOutCertificates {
  readonly #clock: Clock
  readonly #log: Log
  /** When each was tried last. */
  readonly #tried = new Map<string, number>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  has(it: ServedCertificate): boolean {
    return this.#tried.has(nameOf(it))
  }

  isDue(it: ServedCertificate): boolean {
    const tried = this.#tried.get(nameOf(it)) ?? -Infinity
    // A clock may have been set back by any time.
    return Math.abs(this.#clock.now().getTime() - tried) >= TRIED_AGAIN_AFTER
  }

  add(it: ServedCertificate, error: unknown): void {
    if (!this.has(it)) {
      const { hostname } = it
      this.#log.error('a certificate cannot be served: it is left out', error, {
        hostname,
      })
    }
    this.#tried.set(nameOf(it), this.#clock.now().getTime())
  }

  /** Of others nothing is known any more. */
  keepThose(wanted: readonly ServedCertificate[]): void {
    const names = new Set(wanted.map(nameOf))
    for (const name of this.#tried.keys()) if (!names.has(name)) this.#tried.delete(name)
  }

  delete(it: ServedCertificate): void {
    this.#tried.delete(nameOf(it))
  }
}

function nameOf({ hostname, fingerprint }: ServedCertificate): string {
  return `${hostname} ${fingerprint}`
}
