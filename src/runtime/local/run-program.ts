import { spawn } from 'node:child_process'

export interface ProgramInput {
  readonly input?: string
  readonly signal?: AbortSignal
  /** In a session of its own: it goes on when this process ends. */
  readonly detached?: boolean
}

/**
 * Runs a program to its end and returns what it printed on standard output. Rejects with
 * what it printed on standard error when it fails.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { input, signal, detached = false }: ProgramInput = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      signal,
      detached,
    })
    let output = ''
    let errors = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (code === 0) return resolve(output)
      const how = killedBy ?? `status ${code}`
      reject(
        new Error(`${program} ${args.join(' ')} ended with ${how}: ${errors.trim()}`),
      )
    })
    child.stdin?.on('error', () => undefined).end(input)
  })
}
