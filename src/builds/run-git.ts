import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { GiB } from '../lib/bytes.ts'

/** Nothing of this machine's settings of git, or of its user's, counts for our repositories. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
}

/**
 * Bytes of memory, seconds of a processor, and bytes of a file that each program of git's may take: a pack
 * of some kilobytes can say of itself that it becomes a terabyte, or be completed by what it builds upon,
 * whole. No file is larger than a repository at its limit and one push more. Soft ones: the hook lays
 * them down.
 */
const LIMITS = [`--as=${2 * GiB}:`, '--cpu=900:', `--fsize=${3 * GiB}:`]

/** A program, and its arguments: git within its limits. */
export function boundedGit(...args: readonly string[]): [string, string[]] {
  return ['prlimit', [...LIMITS, 'git', ...args]]
}

/** What git printed. */
export async function runGit(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const env = { ...GIT_ENVIRONMENT, ...environment }
  const { stdout } = await promisify(execFile)(...boundedGit(...args), { env })
  return stdout
}
