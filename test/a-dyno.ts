import { enabledFeatures } from '../src/model/app-features.ts'
import { type DynoPolicy, dynoPolicy } from '../src/model/dyno-policy.ts'
import type { Dyno } from '../src/model/dyno.ts'
import type { Formation } from '../src/model/formation.ts'
import {
  type AppId,
  type FormationId,
  newId,
  type ReleaseId,
  type SlugId,
} from '../src/model/ids.ts'
import { HEROKU_TIMINGS } from '../src/model/timings.ts'

/** As Heroku's, where nothing is said. */
export function aPolicy(but: Partial<DynoPolicy> = {}): DynoPolicy {
  const features = enabledFeatures({})
  return { ...dynoPolicy({}, features, HEROKU_TIMINGS), ...but }
}

export const bootedAt = new Date('2026-01-01T00:00:00Z')

/** Builders say only what a test is about; all else is ordinary. */
export function aFormation(but: Partial<Formation> = {}): Formation {
  return {
    id: 'f0000000-0000-4000-8000-000000000001' as FormationId,
    app: 'a0000000-0000-4000-8000-000000000001' as AppId,
    type: 'web',
    quantity: 1,
    size: 'Standard-1X',
    command: 'node index.js',
    release: 'v1' as ReleaseId,
    slug: 's1' as SlugId,
    releasedAt: bootedAt,
    proven: true,
    onTrial: false,
    idle: false,
    healthCheck: null,
    ...but,
  }
}

export function aDyno(but: Partial<Dyno> = {}): Dyno {
  return {
    id: newId(),
    app: aFormation().app,
    formation: aFormation().id,
    release: 'v1' as ReleaseId,
    type: 'web',
    ordinal: 1,
    size: 'Standard-1X',
    command: 'node index.js',
    state: 'up',
    leaving: false,
    stopReason: null,
    address: but.state === 'crashed' || but.state === 'idle' ? null : '172.16.0.2',
    port: 30_000,
    routed: but.state === undefined || but.state === 'up',
    crashes: 0,
    createdAt: bootedAt,
    startedAt: bootedAt,
    restartRequestedAt: null,
    restartBecause: null,
    terminatedAt: null,
    killedAt: null,
    exitedAt: null,
    exitStatus: null,
    nextAttemptAt: null,
    waitingFor: null,
    updatedAt: bootedAt,
    ...but,
  }
}
