/** An app in the database, made by the same actions as a real one. */

import { randomBytes } from 'node:crypto'

import type { Pool } from 'pg'

import { createAccount } from '../src/actions/create-account.ts'
import { createApp } from '../src/actions/create-app.ts'
import { createRelease } from '../src/actions/create-release.ts'
import { KEY_BYTES, secretBox } from '../src/lib/secret-box.ts'
import type { Account, App } from '../src/model/app.ts'
import { type FormationId, newId } from '../src/model/ids.ts'
import type { ConfigVars } from '../src/model/release.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { addSlug } from '../src/store/slugs.ts'

export const secrets = secretBox(randomBytes(KEY_BYTES))

export interface AnApp {
  readonly app: App
  readonly account: Account
  /** A new slug and release, as a push makes. */
  deploy(
    processTypes?: Readonly<Record<string, string>>,
    configVars?: ConfigVars,
  ): Promise<void>
  formation(type: string): Promise<FormationId>
  /** What its log was told, in order: `web.1 Restarting`. */
  told(ps?: string): Promise<string[]>
}

export async function anApp(pool: Pool): Promise<AnApp> {
  await pool.query(
    `insert into regions (id, name, description, country, locale, domain, http_port, subnet)
     values (gen_random_uuid(), 'us', 'United States', 'United States', 'Virginia', 'localhost', 8080, '172.20.0.0/18')
     on conflict do nothing`,
  )
  const [account, app] = await inTransaction(pool, async (tx) => {
    const owner = await createAccount(tx, { email: 'dev@example.com', name: null })
    const wish = { account: owner, name: undefined, region: 'us', stack: 'debian-12' }
    return [owner, await createApp(tx, wish, secrets)] as const
  })

  return {
    app,
    account,
    async deploy(
      processTypes = { web: 'node index.js', worker: 'node work.js' },
      configVars = {},
    ) {
      await inTransaction(pool, async (tx) => {
        const slug = newId<'slug'>()
        await addSlug(tx, {
          id: slug,
          app: app.id,
          stack: app.stack,
          commit: null,
          commitDescription: null,
          buildpackProvidedDescription: null,
          processTypes,
          checksum: null,
          size: null,
        })
        const description = `Deploy ${slug.slice(0, 8)}`
        await createRelease(
          tx,
          { app: app.id, account, description, slug, configVars },
          secrets,
        )
      })
    },
    async formation(type) {
      const { rows } = await pool.query<{ id: FormationId }>(
        'select id from formations where app = $1 and type = $2',
        [app.id, type],
      )
      const [row] = rows
      if (!row) throw new Error(`${app.name} has no formation ${type}`)
      return row.id
    },
    async told(ps = '') {
      const { rows } = await pool.query<{ line: string }>(
        `select ps || ' ' || message as line from log_lines
          where app = $1 and source = 'heroku' and starts_with(ps, $2) order by id`,
        [app.id, ps],
      )
      return rows.map((row) => row.line)
    },
  }
}
