/**
 * What the heroku CLI and git must be told to talk to this installation, and to nobody
 * else. The user's own settings stay: certificates they trust go into one bundle with ours,
 * and git's settings concern this host alone and follow those that are there.
 */

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { DataDirectory, Installation } from './data-directory.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Answers git's question for a password, so that a push needs no `heroku` in PATH. */
const CREDENTIAL_HELPER =
  '!f() { test "$1" = get && test -n "$HEROKU_API_KEY" && printf "username=heroku\\npassword=%s\\n" "$HEROKU_API_KEY"; }; f'
/**
 * Asked when the other has no answer: of who has logged in, and has no key in the environment. It is also told what
 * served, after each push: where there is no `heroku` in PATH, as with `npx heroku`, that must not be a line of complaint.
 */
const CREDENTIAL_HELPER_OF_CLI =
  '!f() { if command -v heroku >/dev/null; then heroku git:credentials "$@"; fi; }; f'

/** `present`: the environment as it is. Written for the certificates of `present`: a bundle beside our own. */
export function clientEnvironment(
  data: DataDirectory,
  { apiPort }: Installation,
  { apiKey, present }: { readonly apiKey: string; readonly present: Variables },
): Record<string, string> {
  const host = `localhost:${apiPort}`
  const plain = `http://${host}`
  return {
    HEROKU_HOST: plain,
    HEROKU_API_KEY: apiKey,
    HEROKU_GIT_HOST: host,
    HEROKU_PARTICLEBOARD_URL: plain,
    HEROKU_EXEC_URL: `https://${host}`,
    HEROKU_DATA_HOST: 'localhost',
    HEROKU_LOGIN_HOST: plain,
    HEROKU_BUILDPACK_REGISTRY_URL: plain,
    HEROKU_NETRC_WRITE: 'true',
    HEROKU_SKIP_NEW_VERSION_CHECK: 'true',
    HEROKU_DISABLE_AUTOUPDATE: '1',
    DISABLE_TELEMETRY: 'true',
    NODE_EXTRA_CA_CERTS: withOurs(data, present['NODE_EXTRA_CA_CERTS']),
    // This one overrules git's settings for single hosts; without it those are better.
    ...(present['GIT_SSL_CAINFO'] === undefined
      ? {}
      : { GIT_SSL_CAINFO: withOurs(data, present['GIT_SSL_CAINFO']) }),
    ...gitSettings(present, [
      [`http.https://${host}/.sslCAInfo`, data.keys.ca],
      // An empty one makes git forget the helpers it knows for this host.
      [`credential.https://${host}.helper`, ''],
      [`credential.https://${host}.helper`, CREDENTIAL_HELPER],
      [`credential.https://${host}.helper`, CREDENTIAL_HELPER_OF_CLI],
    ]),
  }
}

/** Added to those that are there, unless they were added before. */
function gitSettings(
  present: Variables,
  settings: readonly (readonly [string, string])[],
): Record<string, string> {
  const count = Number(present['GIT_CONFIG_COUNT'] ?? 0)
  const names = Array.from({ length: count }, (_, at) => present[`GIT_CONFIG_KEY_${at}`])
  const before = names.indexOf(settings[0]?.[0])
  const first = before < 0 ? count : before
  const pairs = settings.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${first + at}`, key],
    [`GIT_CONFIG_VALUE_${first + at}`, value],
  ])
  const total = Math.max(count, first + settings.length)
  return { GIT_CONFIG_COUNT: String(total), ...Object.fromEntries(pairs) }
}

/** A file that holds our authority and the certificates of theirs, if there is one. */
function withOurs(data: DataDirectory, theirs: string | undefined): string {
  if (theirs === undefined || !existsSync(theirs)) return data.keys.ca
  if (theirs.startsWith(`${data.keys.directory}/`)) return theirs
  const bundle = [
    readFileSync(data.keys.ca, 'utf8'),
    ...certificatesIn(readFileSync(theirs, 'utf8')),
  ]
  const digest = createHash('sha256').update(bundle.join('')).digest('hex').slice(0, 12)
  const file = join(data.keys.directory, `bundle-${digest}.pem`)
  writeFileSync(file, `${bundle.join('\n')}\n`, { mode: 0o644 })
  return file
}

/** Only those: the file is anyone's to name, and the bundle anyone's to read. */
function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}
