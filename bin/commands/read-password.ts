import { text } from 'node:stream/consumers'
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'

import { Refusal } from '../../src/installation/refusal.ts'

/**
 * A new password, from standard input and never from an argument: a terminal is asked twice
 * and shows nothing of it; of anything else the first line is it.
 */
export async function readPassword(whose: string): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return (await text(stdin)).split(/\r?\n/, 1)[0] ?? ''
  const output = new Writable({ write: (_piece, _encoding, done) => done() })
  const terminal = createInterface({
    input: stdin,
    output,
    terminal: true,
    historySize: 0,
  })
  try {
    const password = await asked(terminal, `New password of ${whose}: `)
    const again = await asked(terminal, 'Once more: ')
    if (again !== password) throw new Refusal('Those were two different passwords.')
    return password
  } finally {
    terminal.close()
  }
}

async function asked(terminal: Interface, question: string): Promise<string> {
  process.stderr.write(question)
  const cancelled = new AbortController()
  terminal.once('close', () => cancelled.abort())
  try {
    return await terminal.question('', { signal: cancelled.signal })
  } catch {
    throw new Refusal('No password was given.')
  } finally {
    process.stderr.write('\n')
  }
}
