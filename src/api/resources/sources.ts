/** Where clients put source trees for builds: each is a file that two secret URLs lead to. */

import type { Readable } from 'node:stream'

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { createSource, UPLOAD_WITHIN } from '../../actions/create-source.ts'
import { MINUTE } from '../../lib/clock.ts'
import { openPlainFile } from '../../lib/open-plain-file.ts'
import { storeFile } from '../../lib/store-file.ts'
import { unlessStalled } from '../../lib/unless-stalled.ts'
import type { SourceId } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import { sourceBounds } from '../../model/source.ts'
import { digestOf } from '../../model/token.ts'
import { inTransaction } from '../../store/queryable.ts'
import { keepOpen, markUploaded, sourceToGet, sourceToPut } from '../../store/sources.ts'
import type { ApiDeps } from '../deps.ts'

/** Not in the place of one that was uploaded, whoever else may write there. */
const own = [process.getuid?.() ?? 0]

const TokenParams = Type.Object({ token: Type.String() })

export const sources: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool, data, rateLimit },
) => {
  /** One at a time to each: whoever sends it anew takes the place of who did before. */
  const underWay = new Map<SourceId, Readable>()

  for (const path of ['/sources', '/apps/:app/sources']) {
    server.post(path, async ({ account, protocol, host }, reply) => {
      const source = await inTransaction(pool, (tx) => createSource(tx, account.id))
      const at = `${protocol}://${host}/sources`
      return reply.status(201).send({
        source_blob: {
          get_url: `${at}/${source.getToken}`,
          put_url: `${at}/${source.putToken}`,
        },
      })
    })
  }

  server.get(
    '/sources/:token',
    // Of HEAD the whole file would be read, for nobody.
    { schema: { params: TokenParams }, config: { open: true }, exposeHeadRoute: false },
    async ({ params }, reply) => {
      const source = await sourceToGet(pool, digestOf(params.token))
      if (!source?.uploadedAt) throw notFound()
      // Opened before a build that ends may delete it; nobody else's file is given out.
      const path = data.sourceFile(source.id)
      const file = await openPlainFile(path, own).catch(() => undefined)
      if (!file) throw notFound()
      reply.header('content-length', (await file.stat()).size)
      return reply.type('application/gzip').send(file.createReadStream())
    },
  )

  await server.register(async (uploads) => {
    // A tarball comes under any content type, an empty one too, and is not parsed.
    uploads.addHook('onRequest', async ({ raw }) => {
      raw.headers['content-type'] = 'application/octet-stream'
    })
    uploads.removeAllContentTypeParsers()
    uploads.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    uploads.put(
      '/sources/:token',
      { bodyLimit: sourceBounds.most, config: { open: true, takesFile: true } },
      async (request) => {
        const { token } = request.params as { token: string }
        const source = await sourceToPut(pool, digestOf(token), UPLOAD_WITHIN)
        if (!source) throw notFound()
        const { id, account } = source
        // Whoever has the URL; each that is let through is in the audit log.
        rateLimit.take({ account })
        request.upload = { source: id, account }
        if (!(await keepOpen(pool, id, UPLOAD_WITHIN))) throw notFound()
        const upload = request.body as Readable
        underWay.get(id)?.destroy(replaced())
        underWay.set(id, upload)
        const late = setTimeout(() => upload.destroy(tooSlow()), UPLOAD_WITHIN)
        try {
          await storeFile(unlessStalled(upload), data.sourceFile(id), sourceBounds)
        } finally {
          clearTimeout(late)
          if (underWay.get(id) === upload) underWay.delete(id)
        }
        await markUploaded(pool, id)
        return {}
      },
    )
  })
}

function replaced(): Problem {
  return new Problem('conflict', 'Another upload to this source was begun meanwhile.')
}

function tooSlow(): Problem {
  return new Problem(
    'request_timeout',
    `An upload has ${UPLOAD_WITHIN / MINUTE} minutes.`,
  )
}

function notFound(): Problem {
  return new Problem('not_found', `Couldn't find that source.`)
}
