/** Which HAProxy this machine has. */

import { execFileSync } from 'node:child_process'

/**
 * HAProxy 3 does some things otherwise than the 2.6 of Debian 12, and Mayfly's rules ask more of it: docs/operating/router.md
 * says what.
 */
export const HAPROXY_3 = majorVersion() >= 3

function majorVersion(): number {
  const said = execFileSync('haproxy', ['-v'], { encoding: 'utf8' })
  return Number(/version (\d+)\./.exec(said)?.[1])
}
