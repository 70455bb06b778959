/** A command that sees a terminal of 101 columns and 33 rows, and somebody who types. */

import { spawn } from 'node:child_process'

import { until } from './until.ts'

export interface ATerminal {
  /** All of it. */
  seen(): string
  /** Its exit status. */
  readonly ended: Promise<number | null>
  /** What was on the screen before is seen no more. */
  types(keys: string): void
  sees(what: RegExp): Promise<void>
  /** With everything it started, at once. */
  vanishes(): void
}

export function aTerminal(
  command: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): ATerminal {
  const line = `stty cols 101 rows 33; exec ${command.map(quoted).join(' ')}`
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  let text = ''
  let unseen = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    unseen += piece
  })
  return {
    seen: () => text,
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
    types: (keys) => {
      unseen = ''
      child.stdin.write(keys)
    },
    sees: (what) =>
      until(`${what} is seen in ${JSON.stringify(unseen)}`, () => what.test(unseen)),
    vanishes: () => process.kill(-(child.pid ?? 0), 'SIGKILL'),
  }
}

/** For the shell that `script` has. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
