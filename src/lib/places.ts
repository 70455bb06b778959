/**
 * How many of something there may be at once, of each whose they are and of all together; and for what
 * is a thing's and an account's at the same time, of each of both.
 */

export interface PlaceLimits {
  readonly ofEach: number
  readonly ofAll: number
}

export interface Places {
  /** Returns what to call, once, at its end; or whose places are all taken. */
  take(key: string): (() => void) | 'each' | 'all'
}

export function places({ ofEach, ofAll }: PlaceLimits): Places {
  const taken = new Map<string, number>()
  let all = 0
  return {
    take(key) {
      const before = takenBy(key)
      if (before >= ofEach) return 'each'
      if (all >= ofAll) return 'all'
      taken.set(key, before + 1)
      all += 1
      return () => giveBack(key)
    },
  }

  function giveBack(key: string): void {
    all -= 1
    const left = takenBy(key) - 1
    if (left === 0) taken.delete(key)
    else taken.set(key, left)
  }

  function takenBy(key: string): number {
    return taken.get(key) ?? 0
  }
}

export interface SharedPlaceLimits extends PlaceLimits {
  /** Of all things of one account together. */
  readonly ofAccount: number
}

export interface SharedPlaces {
  /** As `take` of Places; 'account' where all of the account's are taken. */
  take(thing: string, account: string): (() => void) | 'each' | 'account' | 'all'
}

export function sharedPlaces({ ofAccount, ...limits }: SharedPlaceLimits): SharedPlaces {
  const ofThings = places(limits)
  const ofAccounts = places({ ofEach: ofAccount, ofAll: Infinity })
  return {
    take(thing, account) {
      const leave = ofThings.take(thing)
      if (typeof leave === 'string') return leave
      const leaveTheirs = ofAccounts.take(account)
      if (typeof leaveTheirs === 'string') {
        leave()
        return 'account'
      }
      return () => {
        leave()
        leaveTheirs()
      }
    },
  }
}
