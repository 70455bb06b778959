/**
 * What a dyno finds in its environment (heroku-semantics §1.4): the platform's own
 * variables first, then the app's config vars, which may override them, except for those
 * that tell the dyno who it is.
 */

import { type Dyno, placeOf } from './dyno.ts'

export type Environment = Readonly<Record<string, string>>

export function dynoEnvironment(dyno: DynoFacts, configVars: Environment): Environment {
  return {
    HOME: '/app',
    PWD: '/app',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    ...configVars,
    DYNO: placeOf(dyno),
    PORT: String(dyno.port),
  }
}

type DynoFacts = Pick<Dyno, 'type' | 'ordinal' | 'port'>

const REFERENCE = /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g

/**
 * A command as the log shows it: `$NAME`, `${NAME}` and `${NAME:-otherwise}` replaced by
 * what they stand for, as the Common Runtime does. A name that is not set stays as written.
 */
export function expandCommand(command: string, environment: Environment): string {
  return command.replaceAll(
    REFERENCE,
    (written, plain?: string, braced?: string, otherwise?: string) =>
      environment[plain ?? braced ?? ''] ?? otherwise ?? written,
  )
}
