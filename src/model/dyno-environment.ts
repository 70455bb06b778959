/**
 * What a dyno finds in its environment (Heroku's article "Dynos and the Dyno Manager"): the platform's own
 * variables first, then the app's config vars, which may override them, except for those
 * that tell the dyno who it is.
 */

import { type Dyno, placeOf } from './dyno.ts'
import { LONGEST_LINE } from './log-line.ts'

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

/** `$NAME`, `${NAME}`, or how `${NAME:-otherwise}` begins. */
const REFERENCE = /\$(?:(\w+)|\{(\w+)(\}|:-))/g
/** Letters: a line of the log has no room for more. */
const MOST_SHOWN = LONGEST_LINE

/**
 * A command as the log shows it: `$NAME`, `${NAME}` and `${NAME:-otherwise}` replaced by
 * what they stand for, as the Common Runtime does. A name that is not set stays as written.
 *
 * Command and variables are a tenant's, and can be such that what they come to is a million
 * times as long: no more is made of it than is shown, in time that grows with the command's length.
 */
export function expandCommand(command: string, environment: Environment): string {
  const lastBrace = command.lastIndexOf('}')
  const reference = new RegExp(REFERENCE)
  let expanded = ''
  let used = 0
  for (;;) {
    if (expanded.length >= MOST_SHOWN) return expanded.slice(0, MOST_SHOWN)
    const match = reference.exec(command)
    if (!match) break
    const [opening, plain, braced, mark] = match
    const written = match.index
    let end = written + opening.length
    let otherwise: string | undefined
    if (mark === ':-') {
      // Looked for only where there is one: else each opening would look through all that follows.
      if (end > lastBrace) continue
      const close = command.indexOf('}', end)
      otherwise = command.slice(end, close)
      end = close + 1
      reference.lastIndex = end
    }
    expanded += command.slice(used, written)
    expanded += valueOf(plain ?? braced ?? '') ?? otherwise ?? command.slice(written, end)
    used = end
  }
  return (expanded + command.slice(used)).slice(0, MOST_SHOWN)

  function valueOf(name: string): string | undefined {
    return Object.hasOwn(environment, name) ? environment[name] : undefined
  }
}
