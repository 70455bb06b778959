import type { OneOff } from '../src/model/one-off.ts'
import { aDyno } from './a-dyno.ts'

/** Up and detached, if a test does not say otherwise. */
export function aOneOff(but: Partial<OneOff> = {}): OneOff {
  return {
    ...aDyno({
      type: 'run',
      ordinal: 1234,
      formation: null,
      command: 'bash',
      routed: false,
    }),
    attached: false,
    terminal: null,
    timeToLive: null,
    attachedAt: null,
    detachedAt: null,
    hangUps: 0,
    hungUpAt: null,
    unresponsiveAt: null,
    releasePhase: null,
    ...but,
  }
}
