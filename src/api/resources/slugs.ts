import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Slug as ApiSlug } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { isUuid, type SlugId } from '../../model/ids.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import { findSlug, type Slug } from '../../store/slugs.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const SlugParams = Type.Object({ app: Type.String(), slug: Type.String() })

export const slugs: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  server.get(
    '/apps/:app/slugs/:slug',
    { schema: { params: SlugParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const slug = isUuid(params.slug)
        ? await findSlug(pool, params.slug as SlugId)
        : undefined
      if (slug?.app !== app.id) throw new Problem('not_found', `Couldn't find that slug.`)
      return serializeSlug(slug)
    },
  )
}

/** A slug lies unpacked on the machine: there is no blob to be fetched. */
function serializeSlug(it: Slug): Omit<ApiSlug, 'blob'> & { readonly blob: null } {
  return {
    blob: null,
    buildpack_provided_description: it.buildpackProvidedDescription,
    checksum: it.checksum,
    commit: it.commit,
    commit_description: it.commitDescription,
    created_at: it.createdAt.toISOString(),
    deleted_at: it.deletedAt?.toISOString() ?? null,
    id: it.id,
    process_types: it.processTypes,
    size: it.size,
    stack: { id: namedId('stack', it.stack), name: it.stack },
    updated_at: it.updatedAt.toISOString(),
  }
}
