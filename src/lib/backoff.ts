export interface BackOff {
  /** Milliseconds after the first failure. */
  readonly first: number
  readonly most: number
}

/** Milliseconds to wait after `failures` earlier failures: doubling up to `most`, then spread by ±10 %. */
export function backOff(failures: number, { first, most }: BackOff): number {
  const wait = Math.min(most, first * 2 ** Math.min(failures, 30))
  return wait * (0.9 + 0.2 * Math.random())
}
