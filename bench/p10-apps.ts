/** Many apps at once, as their releases would have left them, for P10. */

import type { Pool } from 'pg'

import { createAccount } from '../src/actions/create-account.ts'
import { createRelease } from '../src/actions/create-release.ts'
import { KEY_BYTES, secretBox } from '../src/lib/secret-box.ts'
import type { Account } from '../src/model/app.ts'
import type { AppId } from '../src/model/ids.ts'
import { ensureRegion } from '../src/store/ensure-region.ts'
import { inTransaction } from '../src/store/queryable.ts'

export const KEY = Buffer.alloc(KEY_BYTES, 10)

/** In which as many dynos have an address as may be asked for. */
const SUBNET = '10.0.0.0/14'

export async function makeRegion(pool: Pool): Promise<Account> {
  await ensureRegion(pool, {
    name: 'us',
    description: 'United States',
    country: 'United States',
    locale: 'Virginia',
    domain: 'localhost',
    httpPort: 8080,
    httpsPort: null,
    subnet: SUBNET,
  })
  return createAccount(pool, { email: 'bench@example.com', name: null })
}

/** So many deployed apps with so many workers each; nothing of them runs yet. */
export async function makeApps(
  pool: Pool,
  owner: Account,
  { apps, dynos }: { readonly apps: number; readonly dynos: number },
): Promise<AppId[]> {
  const { rows } = await pool.query<{ id: AppId }>(
    `insert into apps (id, name, region, owner, stack)
     select id, 'app-' || replace(left(id::text, 23), '-', ''), 'us', $2, 'debian-12'
       from (select gen_random_uuid() as id from generate_series(1, $1)) as it
     returning id`,
    [apps, owner.id],
  )
  const ids = rows.map(({ id }) => id)
  const secrets = secretBox(KEY)
  await pool.query(
    `with slug as (
       insert into slugs (id, app, stack, process_types)
       select gen_random_uuid(), id, 'debian-12', '{"worker": "node work.js"}'
         from unnest($1::uuid[]) as it (id)
       returning id, app),
     release as (
       insert into releases (id, app, version, status, description, account, slug, config_vars)
       select gen_random_uuid(), app, 1, 'succeeded', 'Deploy', $2, slug.id, sealed
         from slug join unnest($1::uuid[], $3::bytea[]) as it (app, sealed) using (app)
       returning id, app),
     formation as (
       insert into formations (id, app, type, quantity, size, command)
       select gen_random_uuid(), id, 'worker', $4, 'Standard-1X', 'node work.js'
         from unnest($1::uuid[]) as it (id))
     select 1 from release limit 1`,
    [ids, owner.id, ids.map((id) => secrets.seal('{"MODE":"bench"}', id)), dynos],
  )
  await pool.query(
    `update apps set current_release = releases.id, released_at = now()
       from releases where releases.app = apps.id and apps.id = any($1)`,
    [ids],
  )
  return ids
}

/** The app's code as it is, anew: every dyno is to be replaced. */
export async function releaseAgain(
  pool: Pool,
  app: AppId,
  account: Account,
): Promise<void> {
  const { rows } = await pool.query('select id from slugs where app = $1', [app])
  const [slug] = rows as { id: Parameters<typeof createRelease>[1]['slug'] }[]
  const wish = {
    app,
    account,
    description: 'Deploy',
    slug: slug?.id ?? null,
    configVars: { MODE: 'again' },
  }
  await inTransaction(pool, (tx) => createRelease(tx, wish, secretBox(KEY)))
}
