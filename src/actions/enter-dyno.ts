import { randomBytes } from 'node:crypto'

import type { SecretBox } from '../lib/secret-box.ts'
import type { Account } from '../model/app.ts'
import { faultOfCommand } from '../model/command.ts'
import { faultOfConfig } from '../model/config-vars.ts'
import { type Dyno, placeOf } from '../model/dyno.ts'
import { startingProcess } from '../model/dyno-lines.ts'
import { type AppId, newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { ConfigVars } from '../model/release.ts'
import type { TerminalSize } from '../model/terminal.ts'
import { digestOf } from '../model/token.ts'
import type { UsedToken } from '../store/accounts.ts'
import { addEntry, countEntriesOf } from '../store/entries.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'

export interface EntryWish {
  readonly app: AppId
  readonly account: Account
  /** The account's token that asks for it; undefined: none does. Its client is out once that is no good. */
  readonly token?: UsedToken
  readonly dyno: Pick<Dyno, 'id' | 'type' | 'ordinal' | 'state'> & {
    readonly region: string
  }
  readonly command: string
  /** Beside what the dyno's own process sees, and above it. */
  readonly environment: ConfigVars
  /** Undefined: pipes. */
  readonly terminal: TerminalSize | undefined
}

const SECRET_BYTES = 24
/** Of its own variables together. */
const MOST_BYTES = 64 * 1024
/** Of an account, of any apps; each is kept until its process runs, or a minute. Some at the same moment may come beyond that. */
const MOST_WAITING = 100

/**
 * Asks for one more process inside a running dyno, which is started when its client comes.
 * Returns the client's secret, in small hexadecimal digits. A Problem `invalid_params` for
 * what can't be meant or a dyno that is not up, `rate_limit` where too many of the account's wait already.
 */
export async function enterDyno(
  tx: Queryable,
  wish: EntryWish,
  secrets: SecretBox,
): Promise<string> {
  const fault = faultOf(wish)
  if (fault) throw new Problem('invalid_params', fault)
  const { app, account, dyno, command, environment, terminal } = wish
  if ((await countEntriesOf(tx, account.id)) >= MOST_WAITING) {
    throw new Problem(
      'rate_limit',
      `${MOST_WAITING} processes that you asked for inside dynos, of any apps, have not begun yet. Wait until some have.`,
    )
  }
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  const entry = {
    id: newId<'entry'>(),
    dyno: dyno.id,
    account: account.id,
    command,
    environment: secrets.seal(JSON.stringify(environment), app),
    attachSecret: digestOf(secret),
    terminal,
    token: wish.token ?? null,
  }
  await addEntry(tx, entry, dyno.region)
  const message = `${startingProcess(command)} inside ${placeOf(dyno)} by user ${account.email}`
  await writeLogLines(tx, [{ app, source: 'app', ps: 'api', message }])
  return secret
}

/** What is wrong with the wish, in a sentence; undefined if nothing is. */
function faultOf({ dyno, command, environment }: EntryWish): string | undefined {
  if (dyno.state !== 'up') return `${placeOf(dyno)} is ${dyno.state}, not up.`
  const unfit = faultOfCommand(command)
  if (unfit !== undefined) return `The command ${unfit}.`
  return faultOfConfig(environment, environment, MOST_BYTES)
}
