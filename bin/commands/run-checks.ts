import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const RUNNER = join(import.meta.dirname, 'run-test-files.ts')

export interface Tally {
  readonly passed: number
  readonly failed: number
}

interface Where {
  readonly cwd: string
  /** Its abort ends the program and all that it started. */
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
}

/** Its exit status; what it prints is seen at once. */
export function runToTerminal(command: readonly string[], where: Where): Promise<number> {
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    cwd: where.cwd,
    env: where.env ?? process.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    // A process group of its own, so that it can be ended as a whole.
    detached: true,
  })
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid)
  }
  where.signal?.addEventListener('abort', end, { once: true })
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  }).finally(() => where.signal?.removeEventListener('abort', end))
}

interface TestRun extends Where {
  readonly temporary: string
  /** How many files at once. */
  readonly atOnce: number
  /** Milliseconds that a test may take. */
  readonly longest: number
}

/** Runs test files in this order; the numbers are node's own. */
export async function runNodeTests(
  files: readonly string[],
  run: TestRun,
): Promise<Tally> {
  const summary = join(run.temporary, 'summary.tap')
  // A pattern of names there is meant for the tests: the runner would look for files by it.
  const { NODE_OPTIONS = '', ...env } = process.env
  const settings = [
    `--at-once=${run.atOnce}`,
    `--longest=${run.longest}`,
    `--summary=${summary}`,
    `--node-options=${NODE_OPTIONS}`,
  ]
  const command = [process.execPath, RUNNER, ...settings, ...files]
  const status = await runToTerminal(command, { ...run, env })
  return tallyOf(existsSync(summary) ? readFileSync(summary, 'utf8') : '', status)
}

/** A run that failed counts as failed even where no single test did. */
export function tallyOf(tap: string, status: number): Tally {
  const count = (what: string) =>
    Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0)
  const failed = count('fail') + count('cancelled')
  return { passed: count('pass'), failed: status !== 0 && failed === 0 ? 1 : failed }
}
