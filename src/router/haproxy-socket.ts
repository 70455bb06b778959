/**
 * HAProxy's command sockets: one line of commands a connection, the answers until it
 * closes; the master's closes once we end ours. A command with a payload has its lines to
 * itself. What came of a command is not told by the words of its answer but read back
 * afterwards; only whether a master has come to itself is (haproxy-master.ts).
 */

import { connect } from 'node:net'

import { SECOND } from '../lib/clock.ts'

export type Answer =
  | { readonly is: 'answered'; readonly text: string }
  /** Nobody listens there: no HAProxy runs, or it is just starting. */
  | { readonly is: 'absent' }
  | { readonly is: 'failed'; readonly error: Error }

const DEADLINE = 5 * SECOND
/** A line must fit HAProxy's buffer of 16 KiB. */
const LONGEST_LINE = 12_000

/**
 * Carries out the commands in order; stops at the first connection that fails, as one does
 * that is silent for `deadline` milliseconds.
 */
export async function ask(
  path: string,
  commands: readonly string[],
  deadline = DEADLINE,
): Promise<Answer> {
  let text = ''
  for (const line of linesOf(commands)) {
    const answer = await askOnce(path, line, deadline)
    if (answer.is !== 'answered') return answer
    text += answer.text
  }
  return { is: 'answered', text }
}

/** What is answered to the commands; undefined where nobody listens. Throws where one is not answered. */
export async function askIfPresent(
  path: string,
  commands: readonly string[],
): Promise<string | undefined> {
  const answer = await ask(path, commands)
  if (answer.is === 'failed') throw answer.error
  return answer.is === 'absent' ? undefined : answer.text
}

export function linesOf(commands: readonly string[]): string[] {
  const lines: string[] = []
  for (const command of commands) {
    const last = lines.at(-1)
    const longer = last === undefined ? command : `${last};${command}`
    const apart = [last, command].some((it) => it?.includes('\n'))
    if (last === undefined || apart || longer.length > LONGEST_LINE) lines.push(command)
    else lines[lines.length - 1] = longer
  }
  return lines
}

function askOnce(path: string, line: string, deadline: number): Promise<Answer> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(path, () => socket.end(`${line}\n`))
    socket.setEncoding('utf8')
    socket.setTimeout(deadline, () =>
      socket.destroy(new Error(`HAProxy did not answer within ${deadline} ms`)),
    )
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('end', () => resolve({ is: 'answered', text }))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      resolve(absent ? { is: 'absent' } : { is: 'failed', error })
    })
    socket.on('close', () => resolve({ is: 'failed', error: new Error('closed') }))
  })
}
