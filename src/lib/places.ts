/**
 * How many requests git answers at once: each is some programs that take memory and a processor
 * beside all dynos, and a push is one as long as its build lasts. Who comes to a full house is
 * told so at once, before anything was sent.
 */

import type { AccountId } from '../model/ids.ts'

export interface TurnLimits {
  readonly ofAccount: number
  readonly ofAll: number
}

export const USUAL_TURNS: TurnLimits = { ofAccount: 6, ofAll: 36 }

export interface GitTurns {
  /** Returns what to call at its end; or whose turns are all taken. */
  take(account: AccountId): (() => void) | 'account' | 'all'
}

export function gitTurns({ ofAccount, ofAll }: TurnLimits): GitTurns {
  const taken = new Map<AccountId, number>()
  let all = 0
  return {
    take(account) {
      const before = takenBy(account)
      if (before >= ofAccount) return 'account'
      if (all >= ofAll) return 'all'
      taken.set(account, before + 1)
      all += 1
      return () => giveBack(account)
    },
  }

  function giveBack(account: AccountId): void {
    all -= 1
    const left = takenBy(account) - 1
    if (left === 0) taken.delete(account)
    else taken.set(account, left)
  }

  function takenBy(account: AccountId): number {
    return taken.get(account) ?? 0
  }
}
