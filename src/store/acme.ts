/** Certificates that are being got from an authority: ACME, RFC 8555. */

import type { Queryable } from './queryable.ts'

/** The region's router gives these answers from now on; whose they are is looked at next. */
export async function recordAnswers(
  db: Queryable,
  region: string,
  answers: readonly string[],
): Promise<void> {
  if (answers.length === 0) return
  await db.query(
    `update acme_orders o set answered = true
       from domains d join apps a on a.id = d.app
      where d.id = o.domain and a.region = $1 and not o.answered
        and o.key_authorization = any($2)`,
    [region, answers],
  )
}
