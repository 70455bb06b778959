import type { Dyno } from '../model/dyno.ts'
import { checksumError } from '../model/dyno-lines.ts'
import { RuntimeError, SlugChecksumError } from '../runtime/runtime.ts'
import { notStarted } from './endings.ts'
import type { Move } from './steps.ts'

/** What comes of a start that the runtime refused for good; undefined: it may go better the next time. */
export function refused(dyno: Dyno, error: unknown, now: Date): Move | undefined {
  const line = refusalOf(error)
  return line === undefined ? undefined : notStarted(dyno, 'checksum', [line], now)
}

/** Nothing is wrong: it starts when the runtime knows what its slug is. */
export function isUnverified(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'slug_unverified'
}

/** The line that says so where the slug is not what was built. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof SlugChecksumError) {
    const { expected, actual } = error
    return checksumError(
      `Checksum does match expected value. Expected: ${expected} Actual: ${actual}`,
    )
  }
  if (error instanceof RuntimeError && error.code === 'slug_missing') {
    return checksumError('The slug is missing')
  }
  return undefined
}
