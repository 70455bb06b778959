import { layout, type Measures } from '../src/model/router-measures.ts'

/** How many requests were counted: each has a status, if only 0. */
export function requestsIn({ counts }: Measures): number {
  return counts.subarray(layout.STATUS, layout.CODE).reduce((sum, it) => sum + it, 0)
}
