import { GiB } from '../lib/bytes.ts'
import { MINUTE } from '../lib/clock.ts'
import { countedFrom, type Jump } from '../lib/clock-jumps.ts'
import type { Build } from '../model/build.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { BUILD_MEMORY, SLUG_LIMIT } from './build-dyno.ts'

/** How long a build may take. */
export const BUILD_LIMIT = 15 * MINUTE
/** How long its dyno may take to start: longer, and something is wrong with the machine. */
export const STARTED_WITHIN = 2 * MINUTE

/** Why a build fails that its own output doesn't tell. */
export const failures = {
  cancelled: 'Build cancelled.',
  destroyed: 'The app was destroyed.',
  sourceGone: 'The source is not there: upload it again.',
  sourceUnsafe:
    'The source is not the file that was uploaded. The log of the manager says what it is; upload it again.',
  tooLong: `Build took longer than ${BUILD_LIMIT / MINUTE} minutes.`,
  outOfMemory: `Build ran out of memory (${BUILD_MEMORY / GiB} GB).`,
  notStarted:
    'The build dyno could not be started. The log of the manager says why; push again.',
  lost: 'The machine or the build dyno on it stopped in the middle of the build. Push again.',
  tooLarge: `Compiled slug is too large (max is ${SLUG_LIMIT.bytes / GiB} GB, holes in files included).`,
  tooManyFiles: `Compiled slug has too many files (max is ${SLUG_LIMIT.files.toLocaleString('en')}, directories included).`,
  noDiskRoom:
    "The machine's disk is nearly full: there is no room for the slug. Push again when its operator has made some.",
  internal:
    'An internal error kept the build from going on. The log of the manager says which; push again.',
  pathTooLong: 'Compiled slug has a path of more than 4,096 letters.',
  ended: (status: number) => `Build failed with exit status ${status}.`,
} as const

export interface CompileFacts {
  readonly build: Pick<Build, 'startedAt' | 'anewFrom' | 'cancelledAt' | 'failure'>
  /** Not destroyed. */
  readonly appIsThere: boolean
  /** Of the build dyno; undefined: there is none. */
  readonly status: DynoStatus | undefined
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: Date | undefined
  /** Where the clock was set forward: see lib/clock-jumps.ts. */
  readonly jumps?: readonly Jump[] | undefined
  readonly now: Date
}

export type CompileStep =
  | { readonly do: 'start' }
  /** From where it was prepared: what its dyno left is not to be trusted. */
  | { readonly do: 'begin anew' }
  /** Hand its output on and look again soon. */
  | { readonly do: 'follow' }
  | { readonly do: 'kill'; readonly failure: string }
  /** The dyno has ended, or needs none any more. */
  | { readonly do: 'finish'; readonly failure: string | undefined }

/** What to do now about a build that compiles. */
export function planCompile(facts: CompileFacts): CompileStep {
  const { build, appIsThere, status, now, jumps } = facts
  const startedAt = countedFrom(build.startedAt ?? now, jumps)
  const age = now.getTime() - startedAt.getTime()
  const unwanted = reasonNotToBuild()
  // Once: it may be what stops the machine. The time for which that was off is not the build's.
  if (wentWithHost(facts)) {
    return build.anewFrom === null && !unwanted
      ? { do: 'begin anew' }
      : { do: 'finish', failure: unwanted ?? failures.lost }
  }
  const reason = unwanted ?? (age >= BUILD_LIMIT ? failures.tooLong : undefined)
  switch (status?.is) {
    case undefined:
    case 'created':
      if (reason) return { do: 'finish', failure: reason }
      return age >= STARTED_WITHIN
        ? { do: 'finish', failure: failures.notStarted }
        : { do: 'start' }
    case 'running':
      return reason ? { do: 'kill', failure: reason } : { do: 'follow' }
    case 'lost':
      return { do: 'finish', failure: unwanted ?? failures.lost }
    case 'exited':
      return { do: 'finish', failure: build.failure ?? failureOf(status) }
  }

  function reasonNotToBuild(): string | undefined {
    if (build.failure) return build.failure
    if (!appIsThere) return failures.destroyed
    return build.cancelledAt ? failures.cancelled : undefined
  }
}

/** `down` leaves nothing of a dyno. A machine that stops leaves its files, and the driver tells. */
function wentWithHost({ build, status, downAt }: CompileFacts): boolean {
  if (status) return status.is === 'lost' && status.withHost === true
  return !!build.startedAt && !!downAt && build.startedAt <= downAt
}

function failureOf(status: DynoStatus & { readonly is: 'exited' }): string | undefined {
  if (status.outOfMemory && status.status !== 0) return failures.outOfMemory
  if (status.hostOutOfMemory) return failures.lost
  return status.status === 0 ? undefined : failures.ended(status.status)
}
