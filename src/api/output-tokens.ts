/**
 * What stands in the URL of an output: whoever knows it may read what that build, or release phase, prints.
 * The URL is told again and again, so the token is made each time from the id, under the installation's
 * key: the database has nothing that it could be made of.
 */

import { timingSafeEqual } from 'node:crypto'

import type { SecretBox } from '../lib/secret-box.ts'
import type { BuildId, ReleaseId } from '../model/ids.ts'

export function outputToken(id: BuildId | ReleaseId, secrets: SecretBox): string {
  return `${id}.${secrets.sign(`output of ${id}`).toString('base64url')}`
}

/** Undefined: nobody was told that. */
export function idInOutputToken(token: string, secrets: SecretBox): string | undefined {
  const [id = ''] = token.split('.')
  const given = Buffer.from(token)
  const right = Buffer.from(outputToken(id as BuildId, secrets))
  return given.length === right.length && timingSafeEqual(given, right) ? id : undefined
}
