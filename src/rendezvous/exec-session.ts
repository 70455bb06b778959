import type { ServerChannel, Session } from 'ssh2'

import { onTerminal, SFTP_COMMAND } from '../model/exec.ts'
import type { TerminalSize } from '../model/terminal.ts'
import { type ExecDeps, type OpenProcess, openProcess, refuse } from './exec-process.ts'

const SHELL = 'bash'
const LONGEST_SIDE = 9999

/** One session of a client: a shell, a command, or SFTP, with a terminal where it asks for one. */
export function serveExecSession(
  session: Session,
  clientUser: string,
  deps: ExecDeps,
): void {
  let terminal: TerminalSize | undefined
  let term = 'dumb'
  let process: OpenProcess | undefined

  session.on('pty', (accept, _, info) => {
    terminal = sizeOf(info)
    term = info.term
    accept?.()
  })
  session.on('window-change', (accept, _, info) => {
    void process?.resize(sizeOf(info))
    accept?.()
  })
  session.on('shell', (accept) => run(accept(), SHELL, SHELL))
  session.on('exec', (accept, _, { command }) => run(accept(), command, command))
  // As bytes: it is a program inside the dyno that understands them.
  session.on('subsystem', (accept, reject, { name }) => {
    if (name !== 'sftp') return reject()
    terminal = undefined
    run(accept(), SFTP_COMMAND, undefined)
  })

  function run(channel: ServerChannel, command: string, shown: string | undefined): void {
    const its = terminal ? onTerminal(command, term) : command
    process = openProcess(channel, clientUser, { command: its, terminal, shown, deps })
  }
}

/** Whatever it is for, its client is told why there is no process. */
export function refuseExecSession(session: Session, why: string): void {
  session.on('pty', (accept) => accept?.())
  session.on('shell', (accept) => refuse(accept(), why))
  session.on('exec', (accept) => refuse(accept(), why))
  session.on('subsystem', (accept) => refuse(accept(), why))
}

function sizeOf({ cols, rows }: { cols: number; rows: number }): TerminalSize {
  return { columns: possible(cols), rows: possible(rows) }
}

function possible(length: number): number {
  return Math.min(LONGEST_SIDE, Math.max(1, length))
}
