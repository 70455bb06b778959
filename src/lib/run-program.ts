/**
 * Runs another program to its end. Of `lib/` nothing else may but `remove-tree.ts`, and those folders may not come
 * here that are to start none: test/architecture.test.ts.
 */

import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

import { KiB, MiB } from './bytes.ts'

/** Letters of an output: who prints more is ended. */
const MOST = 64 * MiB
/** Letters of its complaints that are kept, from their beginning: it may have one for each file of somebody else's. */
const MOST_ERRORS = 64 * KiB
/** Letters, from the end of standard output, that a failure tells of. */
const REASON = 2_000

export interface ProgramInput {
  readonly input?: string
  /** The directory that it starts in; as a rule `/`. */
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** In a session of its own: it goes on when this process ends. */
  readonly detached?: boolean
}

/**
 * What the program printed on standard output. Rejects when it fails, or prints more than 64 Mi letters, with what it
 * printed on standard error, 64 Ki letters at most, and after that the end of the rest: some give their reasons there, as pg_upgrade does.
 */
export function runProgram(
  command: readonly string[],
  { input, cwd = '/', signal, detached = false }: ProgramInput = {},
): Promise<string> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd,
      signal,
      detached,
    })
    const fail = (how: string) => reject(new Error(`${command.join(' ')} ${how}`))
    const tooMuch = () => {
      child.kill('SIGKILL')
      fail(`printed more than ${MOST} letters`)
    }
    const output = read(child.stdout, MOST, tooMuch)
    const errors = read(child.stderr, MOST_ERRORS, () => {})
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (code === 0) return resolve(output())
      const said = `${errors().trim()}\n${output().trim().slice(-REASON)}`.trim()
      fail(`ended with ${killedBy ?? `status ${code}`}: ${said}`)
    })
    // A program that ends without reading is known by its status.
    child.stdin?.on('error', () => undefined).end(input)
  })
}

/** Returns what gives the text so far, `most` letters of it. It is read on to its end. */
function read(from: Readable | null, most: number, tooMuch: () => void): () => string {
  let text = ''
  from?.setEncoding('utf8').on('data', (more: string) => {
    if (text.length + more.length > most) tooMuch()
    text += more.slice(0, most - text.length)
  })
  return () => text
}
