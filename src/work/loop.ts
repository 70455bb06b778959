/**
 * Carries out a region's to-do list: claims what is due, has it looked at, puts it down
 * until it wants another look. Many looks run at once, one per subject. What a look throws
 * is logged, kept in the row, and tried again later and later.
 *
 * A lease is what makes a look ours. Its signal aborts before the lease ends; a look that
 * goes on all the same could act beside its successor, so then the process must end. Where the
 * clock is set forward all leases run out at once: nobody is claimed whom we hold still.
 */

import type { Pool } from 'pg'

import { backOff } from '../lib/backoff.ts'
import { SECOND } from '../lib/clock.ts'
import { causesOf, type Log } from '../lib/log.ts'
import { pauseBy, systemTimer, type Timer } from '../lib/timer.ts'
import { listen } from '../store/listen.ts'
import {
  bringForward,
  channelOf,
  claim,
  type Claim,
  nextDue,
  type PutDown,
  putDown,
} from '../store/work.ts'
import { Bell } from './bell.ts'

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
  readonly timer?: Timer
  /** Calls back when there may be work, until the signal aborts. */
  readonly listens?: (heard: () => void, signal: AbortSignal) => Promise<void>
  /** Milliseconds without hearing of work after which the list is read all the same. */
  readonly longestSleep?: number
}

const LEASE = 60 * SECOND
const LEASE_IS_YOUNG = 15 * SECOND
const ABORT_AFTER = 45 * SECOND
const GIVE_UP_AFTER = 55 * SECOND
const LONGEST_SLEEP = 5 * SECOND
/** Whose row is held by one who wakes it: the end of that is heard of, unless it is undone. */
const PUT_DOWN_AGAIN = 0.1 * SECOND
/** More than any answer of the database's is out by. */
const CLOCK_WENT_BACK = SECOND
const RETRY = { first: 0.25 * SECOND, most: 30 * SECOND }

/** Runs until the signal aborts; then lets the looks under way end, and resolves. */
export async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
  const { pool, region, looks, log, width = 32, timer = systemTimer } = loop
  const { listens = listensTo(loop), longestSleep = LONGEST_SLEEP } = loop
  const from = { region, kinds: Object.keys(looks) }
  const busy = new Map<Claim, Promise<void>>()
  const rest = () => ({ ...from, except: [...busy.keys()] })
  /** Looks that have ended are put down together: those that end while the last are. */
  const ended: PutDown[] = []
  /** Those of them that are just being woken. */
  let left: PutDown[] = []
  /** What the database's clock showed last, and when it was told: no earlier than that by the timer. */
  let clock: { readonly now: number; readonly told: number } | undefined
  const bell = new Bell(timer)
  const listening = listens(() => bell.ring(), signal)

  while (!signal.aborted) {
    try {
      await putDownAll()
      const room = width - busy.size
      const claims =
        room > 0
          ? await claim(pool, rest(), { limit: room, leaseSeconds: LEASE / SECOND })
          : []
      for (const held of claims) {
        busy.set(
          held,
          lookedAt(held).finally(() => busy.delete(held)),
        )
      }
      if (claims.length > 0 || ended.length > 0) continue
      const due = room > 0 ? await dueWithin() : Infinity
      const again = left.length > 0 ? PUT_DOWN_AGAIN : Infinity
      await bell.wait(Math.min(due, again, longestSleep), signal)
    } catch (error) {
      log.error('cannot read the to-do list', error)
      await pauseBy(timer, SECOND, signal)
    }
  }
  await Promise.all(busy.values())
  await putDownAll().catch((error: unknown) => log.error('cannot put down', error))
  await listening

  async function lookedAt(held: Claim): Promise<void> {
    ended.push(await carryOut(held, { ...loop, timer }, signal))
    bell.ring()
  }

  /** Times in the list are of the database's clock: where that was set back, they are too late. */
  async function dueWithin(): Promise<number> {
    const asked = timer.now()
    const { within, now } = await nextDue(pool, rest())
    const back = clock ? asked - clock.told - (now - clock.now) : 0
    clock = { now, told: timer.now() }
    if (back < CLOCK_WENT_BACK) return within
    log.info('the clock went back', { seconds: Math.round(back / SECOND) })
    await bringForward(pool, from, back)
    return 0
  }

  async function putDownAll(): Promise<void> {
    const those = ended.slice()
    if (those.length + left.length === 0) return
    left = await putDown(pool, [...left, ...those])
    ended.splice(0, those.length)
  }
}

function listensTo({ pool, region, log }: Loop): NonNullable<Loop['listens']> {
  return (heard, signal) => listen(pool, channelOf(region), heard, { log, signal })
}

type Timed = Loop & { readonly timer: Timer }

async function carryOut(
  held: Claim,
  loop: Timed,
  stopped: AbortSignal,
): Promise<PutDown> {
  const { looks, log, overdue, timer } = loop
  const look = looks[held.kind]
  if (!look) return { ...held, seconds: Infinity, error: null }

  const lease = new AbortController()
  const end = () => lease.abort()
  const ends = timer.after(ABORT_AFTER, end)
  const watchdog = timer.after(GIVE_UP_AFTER, () => overdue(held))
  stopped.addEventListener('abort', end, { once: true })
  try {
    const delay = await lookUntilCalm(() => look(held.subject, lease.signal), {
      signal: lease.signal,
      timer,
    })
    return { ...held, seconds: delay / SECOND, error: null }
  } catch (error) {
    if (!stopped.aborted)
      log.error('a look failed', error, { kind: held.kind, subject: held.subject })
    const seconds = backOff(held.failures, RETRY) / SECOND
    // PostgreSQL's text holds any bytes but one, which would keep all others up as well.
    const said = causesOf(error).join('\n').replaceAll('\0', '')
    return { ...held, seconds, error: said }
  } finally {
    ends()
    watchdog()
    stopped.removeEventListener('abort', end)
  }
}

/** Who asks for another look at once gets it under the same lease, while that is young. */
async function lookUntilCalm(
  look: () => Promise<number>,
  { signal, timer }: { signal: AbortSignal; timer: Timer },
): Promise<number> {
  const claimed = timer.now()
  for (;;) {
    const delay = await look()
    if (delay > 0 || signal.aborted) return delay
    if (timer.now() - claimed > LEASE_IS_YOUNG) return delay
  }
}
