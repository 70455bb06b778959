import { randomBytes } from 'node:crypto'

import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { faultOfCommand } from '../model/command.ts'
import { faultOfConfig } from '../model/config-vars.ts'
import { placeOf } from '../model/dyno.ts'
import { startingProcess } from '../model/dyno-lines.ts'
import { faultOfOneOff, HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import {
  LONGEST_TIME_TO_LIVE,
  type OneOff,
  sizeOfOneOff,
  spelledOut,
} from '../model/one-off.ts'
import { AWAITING_CLIENT } from '../model/one-off-lines.ts'
import { Problem } from '../model/problem.ts'
import type { ConfigVars } from '../model/release.ts'
import type { ShownDyno } from '../model/serialize-dyno.ts'
import { sizeNamed } from '../model/size.ts'
import { startLine } from '../model/start-line.ts'
import { digestOf } from '../model/token.ts'
import type { UsedToken } from '../store/accounts.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { type Ground, lockGround } from '../store/one-offs.ts'
import type { Queryable } from '../store/queryable.ts'
import { startOneOff } from './start-one-off.ts'

export interface RunWish {
  readonly app: App['id']
  readonly account: Account
  /** The account's token that asks for it; undefined: none does. Its client is out once that is no good. */
  readonly token?: UsedToken
  readonly command: string
  /** Undefined: nobody talks to it, and what it prints goes to the app's log. */
  readonly attach: { readonly terminal: OneOff['terminal'] } | undefined
  /** Beside the config vars, and above them. */
  readonly environment: ConfigVars
  /** In any case; undefined: the app's own tier. */
  readonly size: string | undefined
  /** Undefined: `run`. */
  readonly type: string | undefined
  /** Seconds. */
  readonly timeToLive: number | undefined
}

export interface RunningDyno {
  readonly dyno: ShownDyno
  /** For its client, told this once. Undefined: it runs detached. */
  readonly secret: string | undefined
}

const SECRET_BYTES = 24

/**
 * Asks for a one-off dyno: nothing runs yet when this returns. A Problem `cannot_run_above_limit`
 * where the app runs too many, `invalid_params` where it has no code, where its sizes would be
 * mixed, and for what can't be meant.
 */
export async function runDyno(
  tx: Queryable,
  wish: RunWish,
  {
    secrets,
    limits = HEROKU_LIMITS,
  }: { readonly secrets: SecretBox; readonly limits?: Limits },
): Promise<RunningDyno> {
  const fault = faultOf(wish)
  if (fault) throw new Problem('invalid_params', fault)
  const ground = await lockGround(tx, wish.app)
  if (!ground) {
    throw new Problem(
      'invalid_params',
      'The app has no code to run yet: deploy it first.',
    )
  }
  const { app, account, type = 'run', timeToLive, attach } = wish
  const { release, region, processTypes, configVars } = ground
  const size = sizeOf(wish, ground, limits)
  // Not base64: the front door knows HTTP by the capital letter that it begins with.
  const secret = attach && randomBytes(SECRET_BYTES).toString('hex')
  const dyno = await startOneOff(tx, {
    app,
    release: release.id,
    region,
    type,
    size,
    command: spelledOut(wish.command, processTypes),
    account: account.id,
    token: wish.token ?? null,
    environment: secrets.seal(JSON.stringify(wish.environment), app),
    attachSecret: secret === undefined ? null : digestOf(secret),
    terminal: attach?.terminal ?? null,
    timeToLive: timeToLive ?? null,
    releasePhase: null,
  })

  const asked = `${startingProcess(wish.command)} by user ${account.email}`
  // Told here, for what a detached process prints must not come before it.
  const next = attach ? AWAITING_CLIENT : startLine(dyno, environment())
  await writeLogLines(tx, [
    { app, source: 'app', ps: 'api', message: asked },
    { app, source: 'heroku', ps: placeOf(dyno), message: next },
  ])
  return { dyno: { ...dyno, release, updatedAt: dyno.createdAt }, secret }

  function environment(): ConfigVars {
    const vars = JSON.parse(secrets.open(configVars, app)) as ConfigVars
    return { ...vars, ...wish.environment }
  }
}

/** What is wrong with the wish, in a sentence; undefined if nothing is. */
function faultOf({
  command,
  environment,
  type,
  timeToLive,
}: RunWish): string | undefined {
  const unfit = faultOfCommand(command)
  if (unfit !== undefined) return `The command ${unfit}.`
  if (type !== undefined && !/^[-\w]{1,128}$/.test(type)) {
    return `${type} is no process type.`
  }
  if (
    timeToLive !== undefined &&
    !(timeToLive >= 1 && timeToLive <= LONGEST_TIME_TO_LIVE)
  ) {
    return `time_to_live must be from 1 to ${LONGEST_TIME_TO_LIVE} seconds.`
  }
  return faultOfConfig(environment, environment)
}

function sizeOf(wish: RunWish, { formations, oneOffs }: Ground, limits: Limits): string {
  const name = wish.size ?? sizeOfOneOff(formations)
  const size = sizeNamed(name, limits.sizes)?.name
  if (!size)
    throw new Problem('invalid_params', `Couldn't find that dyno size (${name}).`)
  const fault = faultOfOneOff(
    {
      size,
      present: oneOffs.filter((it) => it.size === size).length,
      formationSizes: formations.map((it) => it.size),
    },
    limits,
  )
  if (fault) throw new Problem(fault.id, fault.message, fault.details)
  return size
}
