import { readFileSync } from 'node:fs'

import { SECOND } from '../../lib/clock.ts'

/**
 * When this machine's kernel was started, to the second, by the clock as it is set now: the
 * line `btime` of /proc/stat (proc(5)). Undefined where it has none, as in some sandboxes.
 */
export function hostBootedAt(
  stat = readFileSync('/proc/stat', 'utf8'),
): Date | undefined {
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1]
  return seconds === undefined ? undefined : new Date(Number(seconds) * SECOND)
}
