import type { Release as ApiRelease } from '@heroku-cli/schema'

import type { App } from './app.ts'
import { canRollBackTo, type Release } from './release.ts'

/** As the Platform API answers it, and webhooks tell of it. */
export function serializeRelease(
  it: Release,
  app: Pick<App, 'id' | 'name' | 'currentRelease'>,
): ApiRelease & { readonly failure: string | null } {
  return {
    addon_plan_names: [],
    app: { id: app.id, name: app.name },
    artifacts: it.slug ? [{ type: 'slug', id: it.slug }] : [],
    created_at: it.createdAt.toISOString(),
    current: it.id === app.currentRelease,
    description: it.description,
    eligible_for_rollback: canRollBackTo(it),
    // Not in Heroku's schema: why it failed, in a sentence.
    failure: it.failure,
    id: it.id,
    oci_image: null,
    output_stream_url: null,
    slug: it.slug ? { id: it.slug } : null,
    // The CLI's types leave `expired` out, its schema does not.
    status: it.status as NonNullable<ApiRelease['status']>,
    updated_at: it.updatedAt.toISOString(),
    user: { id: it.account.id, email: it.account.email },
    version: it.version,
  }
}
