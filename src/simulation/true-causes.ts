/**
 * When a stop's cause is the true one: for each, what must have been so, of a dyno of a formation and
 * of a one-off. Where nothing is said, nothing that is simulated comes to it.
 */

import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { StopReason } from '../model/dyno.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import type { Fate } from './machine.ts'
import type { SeenDyno, SeenFormation } from './observed.ts'
import { temperOf } from './temper.ts'

const BOOT_TIMEOUT = 60 * SECOND
const PLACED_WITHIN = 2 * MINUTE
/** Of a release's command. */
const RELEASE_LIMIT = HOUR

/** What is known of a dyno besides its row. */
export interface Known {
  readonly fates: ReadonlySet<Fate>
  /** Milliseconds since it started, or was written down. */
  readonly age: number
  /** Milliseconds for which one manager has had it to start. */
  readonly had: number
  readonly command: string
  /** Whether its formation is so, or was when a look may have read it. */
  readonly lately: (claim: (it: SeenFormation) => boolean) => boolean
}

type Claim = (dyno: SeenDyno, known: Known) => boolean

const ranOutOfMemory: Claim = (_, { fates }) => fates.has('out of memory')
const wasLost: Claim = (_, { fates }) => fates.has('host lost')
/** For as long as it must be before it is given up. */
const wasTried: Claim = ({ startedAt }, { had }) => !startedAt && had >= PLACED_WITHIN
const isOfAge: Claim = (_, { age }) => age >= DAY
const endedByItself: Claim = (_, { fates }) => fates.has('crash')
const wasAskedFor: Claim = ({ restartRequestedAt }) => restartRequestedAt !== null

const trueCauses: Readonly<
  Record<StopReason, { readonly ofFormation?: Claim; readonly ofOneOff?: Claim }>
> = {
  'out of memory': { ofFormation: ranOutOfMemory, ofOneOff: ranOutOfMemory },
  'host lost': { ofFormation: wasLost, ofOneOff: wasLost },
  'start failed': { ofFormation: wasTried, ofOneOff: wasTried },
  cycling: { ofFormation: isOfAge, ofOneOff: isOfAge },

  crash: { ofFormation: endedByItself },
  'boot timeout': {
    ofFormation: (_, { age, command }) =>
      age >= BOOT_TIMEOUT && temperOf(command).listens * SECOND >= BOOT_TIMEOUT,
  },
  release: {
    ofFormation: ({ release }, { lately }) => lately((it) => it.release !== release),
  },
  size: { ofFormation: ({ size }, { lately }) => lately((it) => it.size !== size) },
  'scale down': {
    ofFormation: ({ ordinal }, { lately }) => lately((it) => it.quantity < ordinal),
  },
  idling: { ofFormation: (_, { lately }) => lately((it) => it.idle) },
  restart: { ofFormation: wasAskedFor },

  exit: { ofOneOff: endedByItself },
  'release timeout': {
    ofOneOff: ({ type }, { age }) => type === RELEASE_TYPE && age >= RELEASE_LIMIT,
  },
  superseded: {
    ofOneOff: ({ type, releaseStatus }) =>
      type === RELEASE_TYPE && releaseStatus !== 'pending',
  },
  stop: { ofOneOff: wasAskedFor },
  'app destroyed': { ofOneOff: ({ appIsThere }) => !appIsThere },

  memory: {},
  unhealthy: {},
  checksum: {},
  'host restart': {},
  'time to live': {},
  'attach error': {},
  'client gone': {},
}

/** Whether what a dyno's row gives as its cause is so. */
export function hasTrueCause(dyno: SeenDyno, known: Known): boolean {
  if (!dyno.stopReason) return false
  const { ofFormation, ofOneOff } = trueCauses[dyno.stopReason]
  const claim = dyno.formation ? ofFormation : ofOneOff
  return claim?.(dyno, known) === true
}
