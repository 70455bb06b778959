/**
 * How many cases a fuzz test tries, and which: always the same, so that what fails on a change fails for it. A soak
 * takes them by chance. fast-check prints the seed of what fails; `./mayfly test --seed N` tries it again.
 */

const SEED = 1

export interface FuzzRuns {
  readonly numRuns: number
  /** Left out: by chance. */
  readonly seed?: number
}

/** `soaked`: with MAYFLY_SOAK, from a seed of chance. */
export function fuzzRuns({
  usual,
  soaked,
}: {
  readonly usual: number
  readonly soaked: number
}): FuzzRuns {
  const { MAYFLY_SOAK, MAYFLY_SEED } = process.env
  const numRuns = MAYFLY_SOAK === undefined ? usual : soaked
  if (MAYFLY_SEED !== undefined) return { numRuns, seed: Number(MAYFLY_SEED) }
  return MAYFLY_SOAK === undefined ? { numRuns, seed: SEED } : { numRuns }
}
