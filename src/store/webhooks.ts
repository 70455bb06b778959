import type { AppId } from '../model/ids.ts'
import type { Webhook, WebhookId } from '../model/webhook.ts'
import type { Queryable } from './queryable.ts'
import { wake } from './work.ts'

/** No region's: whichever process has the installation's webhooks looked after. No region has such a name. */
export const WEBHOOKS = '(webhooks)'

export async function wakeWebhook(tx: Queryable, webhook: WebhookId): Promise<void> {
  await wake(tx, { kind: 'webhook', subject: webhook, region: WEBHOOKS })
}

const columns = `id, app, include, level, url,
  created_at as "createdAt", updated_at as "updatedAt"`

export async function webhooksOf(db: Queryable, app: AppId): Promise<Webhook[]> {
  const { rows } = await db.query(
    `select ${columns} from webhooks where app = $1 order by created_at, id`,
    [app],
  )
  return rows as Webhook[]
}

export async function findWebhook(
  db: Queryable,
  app: AppId,
  id: string,
): Promise<Webhook | undefined> {
  return (await webhooksOf(db, app)).find((it) => it.id === id)
}

/** Its secret and the header it wants, sealed for it. */
export interface Credentials {
  readonly secret: Buffer
  readonly authorization: Buffer | null
}

export async function addWebhook(
  tx: Queryable,
  it: Webhook & Credentials,
): Promise<void> {
  await tx.query(
    `insert into webhooks (id, app, include, level, url, secret, authorization_header,
                           created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      it.id,
      it.app,
      it.include,
      it.level,
      it.url,
      it.secret,
      it.authorization,
      it.createdAt,
      it.updatedAt,
    ],
  )
}

/** Credentials that are undefined stay as they are. */
export async function changeWebhook(
  tx: Queryable,
  it: Webhook & { readonly [key in keyof Credentials]: Credentials[key] | undefined },
): Promise<void> {
  await tx.query(
    `update webhooks
        set include = $2, level = $3, url = $4, secret = coalesce($5, secret),
            authorization_header = case when $6 then $7 else authorization_header end,
            updated_at = $8
      where id = $1`,
    [
      it.id,
      it.include,
      it.level,
      it.url,
      it.secret,
      it.authorization !== undefined,
      it.authorization,
      it.updatedAt,
    ],
  )
}

/** With all its deliveries. */
export async function deleteWebhook(tx: Queryable, id: WebhookId): Promise<void> {
  await tx.query('delete from webhooks where id = $1', [id])
}
