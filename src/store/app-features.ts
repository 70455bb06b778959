import type { AppId } from '../model/ids.ts'
import type { FeatureName, Switches } from '../model/app-features.ts'
import type { Queryable } from './queryable.ts'

/** What an app's owner said of a feature. */
export interface StoredFeature {
  readonly name: string
  readonly enabled: boolean
  readonly updatedAt: Date
}

export async function storedFeatures(
  db: Queryable,
  app: AppId,
): Promise<readonly StoredFeature[]> {
  const { rows } = await db.query(
    `select name, enabled, updated_at as "updatedAt" from app_features where app = $1`,
    [app],
  )
  return rows as StoredFeature[]
}

/** For `enabledFeatures`. */
export async function switchesOf(db: Queryable, app: AppId): Promise<Switches> {
  const stored = await storedFeatures(db, app)
  return Object.fromEntries(stored.map((it) => [it.name, it.enabled]))
}

/** The apps that said no to it. */
export async function appsWithout(db: Queryable, name: FeatureName): Promise<Set<AppId>> {
  const { rows } = await db.query(
    'select app from app_features where name = $1 and not enabled',
    [name],
  )
  return new Set((rows as { app: AppId }[]).map((row) => row.app))
}

export async function putFeature(
  tx: Queryable,
  app: AppId,
  { name, enabled }: Pick<StoredFeature, 'name' | 'enabled'>,
): Promise<void> {
  await tx.query(
    `insert into app_features (app, name, enabled) values ($1, $2, $3)
     on conflict (app, name) do update set enabled = $3, updated_at = now()`,
    [app, name, enabled],
  )
}
