import { resolve } from 'node:path'
import { parseArgs, type ParseArgsConfig } from 'node:util'

import {
  DEFAULT_DATA,
  type DataDirectory,
  dataDirectory,
} from '../../src/installation/data-directory.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { faultOfEmail } from '../../src/model/app.ts'
import { hostnameIn } from '../../src/model/hostname.ts'

/** DNS allows 253 letters; an app's name and its dot take 31. */
const LONGEST_DOMAIN = 222

/** Node's parseArgs; what it does not understand is a Refusal in a sentence. */
export function parsed<const T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error
    const [sentence] = message.split('. ')
    throw new Refusal(`${sentence}; see ./mayfly help.`, 2)
  }
}

/** Every command that concerns an installation takes it. */
export const dataOption = { data: { type: 'string' } } as const

export function dataNamed(path: string | undefined): DataDirectory {
  return dataDirectory(resolve(path ?? DEFAULT_DATA))
}

/** `what`: the one word that the command takes. */
export function onlyOne(positionals: readonly string[], what: string): string {
  const [only] = positionals
  if (only !== undefined && positionals.length === 1) return only
  throw new Refusal(`This takes one word: ${what}.`, 2)
}

/** Of a command about an account: its e-mail address, and what else was given. */
export function ofAccount<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  more: T,
) {
  const options = { ...dataOption, ...more }
  const { values, positionals } = parsed({ args, options, allowPositionals: true })
  return { values, email: onlyOne(positionals, 'the e-mail address of the account') }
}

export function portNamed(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port
  throw new Refusal(`${flag} takes a port from 1 to 65535, not "${text}".`, 2)
}

/** A name below which apps have theirs: their labels must find room in front of it. */
export function domainNamed(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const domain = text === 'localhost' ? text : hostnameIn(text)
  if (domain !== undefined && !domain.includes('*') && domain.length <= LONGEST_DOMAIN) {
    return domain
  }
  throw new Refusal(`--domain takes a name as in "apps.example.com", not "${text}".`, 2)
}

/** The URL of an ACME directory; empty: none. What is said to it must not be heard on the way. */
export function directoryNamed(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:') return url.href
  throw new Refusal(`--acme-directory takes an https:// URL, not "${text}".`, 2)
}

export function emailNamed(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || faultOfEmail(text) === undefined) return text
  throw new Refusal(`${flag} takes an e-mail address, not "${text}".`, 2)
}

export function regionsNamed(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const names = text.split(',')
  const good = names.every((it) => /^[a-z][a-z0-9-]{0,19}$/.test(it))
  if (good && new Set(names).size === names.length) return names
  throw new Refusal(`--regions takes names as in "us,eu", not "${text}".`, 2)
}
