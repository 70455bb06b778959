import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Nothing of this machine's settings of git, or of its user's, counts for our repositories. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
}

/** What git printed. */
export async function runGit(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const env = { ...GIT_ENVIRONMENT, ...environment }
  const { stdout } = await promisify(execFile)('git', args, { env })
  return stdout
}
