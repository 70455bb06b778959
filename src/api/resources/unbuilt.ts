/**
 * What the CLI asks about on its way to something else, and of which an app has none yet:
 * add-ons, pipelines, drains.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

import { Problem } from '../../model/problem.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const emptyLists = ['addons', 'addon-attachments', 'log-drains']
const absent: Readonly<Record<string, string>> = {
  'addons/:it': 'add-on',
  'addon-attachments/:it': 'add-on attachment',
  'pipeline-couplings': 'pipeline coupling',
}

export const unbuilt: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  for (const list of ['/addons', '/addon-attachments', '/spaces', '/pipelines']) {
    server.get(list, async () => [])
  }

  for (const list of emptyLists) {
    server.get(
      `/apps/:app/${list}`,
      { schema: { params: AppParams } },
      async ({ params }) => {
        await requireApp(pool, params.app)
        return []
      },
    )
  }

  for (const [path, noun] of Object.entries(absent)) {
    server.route({
      method: ['GET', 'PATCH'],
      url: `/apps/:app/${path}`,
      schema: { params: AppParams },
      handler: async ({ params }) => {
        await requireApp(pool, params.app)
        throw new Problem('not_found', `Couldn't find that ${noun}.`)
      },
    })
  }
}
