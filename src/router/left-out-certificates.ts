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
  /** When each is tried again. */
  readonly #again = new Map<string, number>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  has(it: ServedCertificate): boolean {
    return this.#again.has(nameOf(it))
  }

  isDue(it: ServedCertificate): boolean {
    return (this.#again.get(nameOf(it)) ?? 0) <= this.#clock.now().getTime()
  }

  add(it: ServedCertificate, error: unknown): void {
    if (!this.has(it)) {
      const { hostname } = it
      this.#log.error('a certificate cannot be served: it is left out', error, {
        hostname,
      })
    }
    this.#again.set(nameOf(it), this.#clock.now().getTime() + TRIED_AGAIN_AFTER)
  }

  /** Of others nothing is known any more. */
  keepThose(wanted: readonly ServedCertificate[]): void {
    const names = new Set(wanted.map(nameOf))
    for (const name of this.#again.keys()) if (!names.has(name)) this.#again.delete(name)
  }

  delete(it: ServedCertificate): void {
    this.#again.delete(nameOf(it))
  }
}

function nameOf({ hostname, fingerprint }: ServedCertificate): string {
  return `${hostname} ${fingerprint}`
}
