/**
 * Carries out a region's to-do list: claims what is due, has it looked at, puts it down
 * until it wants another look. Many looks run at once, one per subject. What a look throws
 * is logged, kept in the row, and tried again later and later.
 *
 * A lease is what makes a look ours. Its signal aborts before the lease ends; a look that
 * goes on all the same could act beside its successor, so then the process must end.
 */

import type { Pool } from 'pg'

import { backOff } from '../lib/backoff.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { causesOf, type Log } from '../lib/log.ts'
import { listen } from '../store/listen.ts'
import {
  channelOf,
  claim,
  type Claim,
  nextDue,
  release,
  releaseFailed,
} from '../store/work.ts'

/** Resolves to the milliseconds until the subject wants another look: Infinity, only when woken. */
export type Look = (subject: string, signal: AbortSignal) => Promise<number>

export interface Loop {
  readonly pool: Pool
  readonly region: string
  readonly looks: Readonly<Record<string, Look>>
  readonly log: Log
  /** Called when a look outlived its lease: end the process. */
  readonly overdue: (held: Claim) => void
  /** How many looks at once. */
  readonly width?: number
}

const LEASE = 60 * SECOND
const LEASE_IS_YOUNG = 15 * SECOND
const ABORT_AFTER = 45 * SECOND
const GIVE_UP_AFTER = 55 * SECOND
const LONGEST_SLEEP = 5 * SECOND
const RETRY = { first: 0.25 * SECOND, most: 30 * SECOND }

/** Runs until the signal aborts; then lets the looks under way end, and resolves. */
export async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
  const { pool, region, looks, log, width = 32 } = loop
  const from = { region, kinds: Object.keys(looks) }
  const busy = new Set<Promise<void>>()
  const bell = new Bell()
  const listening = listen(pool, channelOf(region), () => bell.ring(), { log, signal })

  while (!signal.aborted) {
    try {
      const room = width - busy.size
      const claims =
        room > 0
          ? await claim(pool, from, { limit: room, leaseSeconds: LEASE / SECOND })
          : []
      for (const held of claims) {
        const work = carryOut(held, loop, signal).finally(() => {
          busy.delete(work)
          bell.ring()
        })
        busy.add(work)
      }
      if (claims.length > 0) continue
      const due = room > 0 ? await nextDue(pool, from) : Infinity
      await bell.wait(Math.min(due, LONGEST_SLEEP), signal)
    } catch (error) {
      log.error('cannot read the to-do list', error)
      await pause(SECOND, signal)
    }
  }
  await Promise.allSettled([...busy, listening])
}

async function carryOut(held: Claim, loop: Loop, stopped: AbortSignal): Promise<void> {
  const { pool, looks, log, overdue } = loop
  const look = looks[held.kind]
  if (!look) return
  const leaseEnds = AbortSignal.timeout(ABORT_AFTER)
  const watchdog = setTimeout(() => overdue(held), GIVE_UP_AFTER)
  try {
    const delay = await lookUntilCalm(
      look,
      held.subject,
      AbortSignal.any([leaseEnds, stopped]),
    )
    await release(pool, held, delay / SECOND)
  } catch (error) {
    if (!stopped.aborted)
      log.error('a look failed', error, { kind: held.kind, subject: held.subject })
    const seconds = backOff(held.failures, RETRY) / SECOND
    await releaseFailed(pool, held, { seconds, error: causesOf(error).join('\n') }).catch(
      (cause: unknown) => log.error('cannot put down', cause, { kind: held.kind }),
    )
  } finally {
    clearTimeout(watchdog)
  }
}

/** Who asks for another look at once gets it under the same lease, while that is young. */
async function lookUntilCalm(
  look: Look,
  subject: string,
  signal: AbortSignal,
): Promise<number> {
  const claimed = performance.now()
  for (;;) {
    const delay = await look(subject, signal)
    if (delay > 0 || signal.aborted) return delay
    if (performance.now() - claimed > LEASE_IS_YOUNG) return delay
  }
}

/** Rung when there may be work; a ring while nobody waits is heard by the next who does. */
class Bell {
  #rung = false
  #wake: () => void = () => {}

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung) {
      const rung = new AbortController()
      this.#wake = () => rung.abort()
      await pause(milliseconds, AbortSignal.any([rung.signal, signal]))
      this.#wake = () => {}
    }
    this.#rung = false
  }
}
