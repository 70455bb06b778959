import type { SecretBox } from '../lib/secret-box.ts'
import type { AppId, BuildId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

const AT_ONCE = 1000

/** Until migration 0119 they rested in clear, and no migration has the key. `db`: the owner's. Idempotent. */
export async function sealSourceUrls(db: Queryable, secrets: SecretBox): Promise<void> {
  for (;;) {
    const { rows } = await db.query(
      `select id, app, unsealed_source_url as url from builds
        where unsealed_source_url is not null limit ${AT_ONCE}`,
    )
    if (rows.length === 0) return
    const clear = rows as { id: BuildId; app: AppId; url: string }[]
    await db.query(
      `update builds set source_url = sealed.url, unsealed_source_url = null
         from unnest($1::uuid[], $2::bytea[]) as sealed (id, url)
        where builds.id = sealed.id`,
      [clear.map((it) => it.id), clear.map((it) => secrets.seal(it.url, it.app))],
    )
  }
}
