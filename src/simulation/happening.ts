/** What a scenario is made of: each thing that owners of apps do, or that goes wrong. */

import type { DatabaseFault } from './simulated-database.ts'
import type { RuntimeFault } from './faulty-runtime.ts'
import type { Temper } from './temper.ts'

export type Happening = {
  /** Milliseconds from the begin. */
  readonly at: number
} & (Wish | Mishap | Check)

export type Wish = { readonly app: number } & (
  | {
      readonly does: 'deploy'
      readonly web: Temper
      readonly worker: Temper
      /** Its release command, if it has one. */
      readonly release?: Temper
    }
  | { readonly does: 'configure'; readonly value: number }
  | { readonly does: 'scale'; readonly type: string; readonly quantity: number }
  | { readonly does: 'resize'; readonly type: string; readonly size: string }
  | { readonly does: 'restart'; readonly which: string }
  | { readonly does: 'roll back' }
  /** A one-off dyno, detached. */
  | { readonly does: 'run'; readonly command: Temper }
  | { readonly does: 'stop one-offs' }
  | { readonly does: 'switch'; readonly feature: string; readonly on: boolean }
  | { readonly does: 'destroy' }
)

/** `pick` says which of those that run: 0 the first, almost 1 the last. */
export type Mishap =
  | {
      readonly does: 'crash'
      readonly pick: number
      readonly status: number
      readonly outOfMemory: boolean
    }
  | { readonly does: 'lose'; readonly pick: number; readonly trace: boolean }
  | { readonly does: 'power cut'; readonly down: number }
  | {
      readonly does: 'kill manager'
      /** So many turns later. */
      readonly turns: number
      readonly when: 'before' | 'after'
      /** Milliseconds until its successor starts. */
      readonly down: number
    }
  | {
      readonly does: 'break runtime'
      readonly how: RuntimeFault
      /** The call after so many others. */
      readonly calls: number
      readonly late: number
    }
  | {
      readonly does: 'break database'
      readonly how: DatabaseFault
      readonly statements: number
    }
  | { readonly does: 'lose hints'; readonly for: number }
  | { readonly does: 'slow router'; readonly by: number; readonly for: number }

/** Everything is put in order, and some time later must be so. */
export type Check = { readonly does: 'mend' } | { readonly does: 'check' }

export function told(happening: Happening): string {
  const { does } = happening
  const details = Object.entries(happening)
    .filter(([key]) => key !== 'at' && key !== 'does')
    .map(([key, value]) => `${key}=${worded(value)}`)
  return [does, ...details].join(' ')
}

function worded(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000)
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.values(value).join('/')
}
