import { randomBytes } from 'node:crypto'

import { placeOf } from '../model/dyno.ts'
import { startingProcess } from '../model/dyno-lines.ts'
import { newId } from '../model/ids.ts'
import type { TerminalSize } from '../model/terminal.ts'
import { digestOf } from '../model/token.ts'
import { addEntry } from '../store/entries.ts'
import { findExecReservation } from '../store/exec-reservations.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { attachClient, type PromisedProcess } from '../store/rendezvous.ts'

export interface ExecCommand {
  readonly command: string
  readonly terminal: TerminalSize | undefined
  /** As the app's log shows it; undefined: it is nothing that somebody typed. */
  readonly shown: string | undefined
}

const SECRET_BYTES = 24

/**
 * Starts a process inside a dyno for a client that is here already. Undefined: it is not let in
 * any more, or the dyno is not up any more.
 */
export async function execInside(
  tx: Queryable,
  clientUser: string,
  { command, terminal, shown }: ExecCommand,
): Promise<PromisedProcess | undefined> {
  const reservation = await findExecReservation(tx, clientUser)
  if (!reservation) return undefined
  const { dyno, app, email, environment } = reservation
  const attachSecret = digestOf(randomBytes(SECRET_BYTES).toString('hex'))
  // The SSH server looks after its clients itself.
  const its = { dyno: dyno.id, account: null, command, environment, token: null }
  await addEntry(tx, { ...its, id: newId(), attachSecret, terminal }, dyno.region)
  const process = await attachClient(tx, attachSecret)
  if (process && shown !== undefined) {
    const message = `${startingProcess(shown)} inside ${placeOf(dyno)} by user ${email}`
    await writeLogLines(tx, [{ app, source: 'app', ps: 'api', message }])
  }
  return process
}
