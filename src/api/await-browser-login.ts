import { endBrowserLogin, type WaitingCli } from '../actions/end-browser-login.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { systemTimer } from '../lib/timer.ts'
import { Problem } from '../model/problem.ts'
import type { BrowserLogin } from '../store/browser-logins.ts'
import { inTransaction } from '../store/queryable.ts'
import type { ApiDeps } from './deps.ts'

/** The CLI gives up after a minute in which it hears nothing. */
const BETWEEN_BLANKS = 20 * SECOND
const BETWEEN_LOOKS = 0.5 * SECOND

interface Waiting {
  /** Undefined once the login is over. */
  readonly look: () => Promise<BrowserLogin | undefined>
  readonly by: WaitingCli
  readonly signal: AbortSignal
}

/**
 * JSON after blanks, which begin at once so that the answer's headers go: `{ access_token }`
 * or, where there will be none, `{ error }`. Nothing more once the signal aborts. While the
 * database can't be asked it waits.
 */
export async function* awaitBrowserLogin(
  deps: Pick<ApiDeps, 'pool' | 'clock' | 'ending'>,
  { look, by, signal }: Waiting,
): AsyncGenerator<string> {
  const woken = AbortSignal.any([signal, deps.ending])
  let saidAt = -Infinity
  while (!signal.aborted) {
    const outcome = await outcomeNow(deps, { look, by, signal }).catch(unlessAway)
    if (outcome) {
      yield JSON.stringify(outcome)
      return
    }
    if (systemTimer.now() - saidAt >= BETWEEN_BLANKS) {
      yield ' '
      saidAt = systemTimer.now()
    }
    await pause(BETWEEN_LOOKS, woken)
  }
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error
}

type Outcome = { readonly access_token: string } | { readonly error: string }

/** Undefined: not decided. A token is made only for who is still there to take it. */
async function outcomeNow(
  { pool, clock, ending }: Pick<ApiDeps, 'pool' | 'clock' | 'ending'>,
  { look, by, signal }: Waiting,
): Promise<Outcome | undefined> {
  // A CLI whose answer breaks off waits for the rest of it for ever.
  if (ending.aborted) return { error: 'Mayfly is restarting: run heroku login again.' }
  const login = await look()
  if (!login) return { error: 'The login is over: nobody logged in on the page in time.' }
  if (login.state === 'refused') return { error: 'The login was refused on the page.' }
  if (login.state !== 'granted' || signal.aborted) return undefined
  const token = await inTransaction(pool, (tx) =>
    endBrowserLogin(tx, clock, { login, by }),
  )
  return token === undefined ? undefined : { access_token: token }
}
