import { type Clock, later, MINUTE } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { digestOf, newToken } from '../model/token.ts'
import { addBrowserLogin, type BrowserLoginId } from '../store/browser-logins.ts'
import type { Queryable } from '../store/queryable.ts'

/** As long as the CLI waits. */
const PATIENCE = 10 * MINUTE
const LONGEST_DESCRIPTION = 200

export interface BegunBrowserLogin {
  readonly id: BrowserLoginId
  /** What the CLI and the page prove themselves with. Only their digests are kept. */
  readonly cliToken: string
  readonly pageToken: string
}

export async function beginBrowserLogin(
  tx: Queryable,
  clock: Clock,
  { description, address }: { readonly description: string; readonly address: string },
): Promise<BegunBrowserLogin> {
  const begun = {
    id: newId<'browser login'>(),
    cliToken: newToken(),
    pageToken: newToken(),
  }
  await addBrowserLogin(tx, {
    id: begun.id,
    cliSha256: digestOf(begun.cliToken),
    pageSha256: digestOf(begun.pageToken),
    description: readable(description),
    address,
    expiresAt: later(clock.now(), PATIENCE),
  })
  return begun
}

/** Anybody may have written it: nothing that moves a cursor or turns the text around. */
function readable(description: string): string {
  const letters = description.replace(/\p{C}+/gu, ' ').trim()
  return letters.slice(0, LONGEST_DESCRIPTION) || 'A heroku CLI'
}
