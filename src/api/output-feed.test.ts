import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { after, test } from 'node:test'

import Fastify, { type FastifyRequest } from 'fastify'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { createBuild } from '../actions/create-build.ts'
import type { SharedPlaceLimits } from '../lib/places.ts'
import { type AccountId, type BuildId, newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { fail } from '../store/builds.ts'
import { appendOutput } from '../store/output.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { outputFeed } from './output-feed.ts'

const pool = aDatabase()
const bounds: SharedPlaceLimits = { ofEach: 20, ofAll: 1000, ofAccount: 100 }
const someone = newId<'account'>()
const servers: { close(): Promise<void> }[] = []

after(() => Promise.all(servers.map((it) => it.close())))

test('many readers of an output cost no more queries than one', async () => {
  const build = await aBuild()
  const { url, asked } = await served(bounds)
  const reading = Array.from({ length: 20 }, async () => (await fetch(url(build))).text())
  await appendOutput(pool, { build }, 'first\n')
  await until('some were asked', () => asked() > 5)
  const before = asked()
  const began = performance.now()
  await until('a while', () => performance.now() - began > 1000)
  // Ten a second; twenty readers by themselves asked four hundred times.
  assert.ok(asked() - before < 20, String(asked() - before))
  await appendOutput(pool, { build }, 'last\n')
  await fail(pool, build, 'x')
  for (const text of await Promise.all(reading)) assert.equal(text, 'first\nlast\n')
})

test('all is read that was printed before the end, however much', async () => {
  const build = await aBuild()
  const lines = Array.from({ length: 200 }, (_, nth) => `${nth} ${'x'.repeat(1000)}\n`)
  for (const line of lines) await appendOutput(pool, { build }, line)
  await fail(pool, build, 'x')
  const { url } = await served(bounds)
  assert.equal(await (await fetch(url(build))).text(), lines.join(''))
})

test('there are so many readers of one, and of all, and no more until some leave', async () => {
  const [build, another, third] = [await aBuild(), await aBuild(), await aBuild()]
  const { url } = await served({ ...bounds, ofEach: 2, ofAll: 3 })
  const leaving = new AbortController()
  const { signal } = leaving
  await appendOutput(pool, { build }, 'x')
  await appendOutput(pool, { build: another }, 'x')
  assert.equal((await fetch(url(build), { signal })).status, 200)
  assert.equal((await fetch(url(build), { signal })).status, 200)
  assert.equal((await fetch(url(build))).status, 429)
  assert.equal((await fetch(url(another), { signal })).status, 200)
  assert.equal((await fetch(url(third))).status, 429)
  leaving.abort()
  await fail(pool, build, 'x')
  await until('there is room', async () => (await fetch(url(build))).status === 200)
})

test('outputs of one account have so many readers, and keep nobody from another’s', async () => {
  const [build, another, theirs] = [await aBuild(), await aBuild(), await aBuild()]
  const [one, other] = [newId<'account'>(), newId<'account'>()]
  const { url } = await served({ ...bounds, ofEach: 2, ofAccount: 3 }, (it) =>
    it === theirs ? other : one,
  )
  const leaving = new AbortController()
  const { signal } = leaving
  for (const it of [build, build, another]) {
    await appendOutput(pool, { build: it }, 'x')
    assert.equal((await fetch(url(it), { signal })).status, 200)
  }
  await fail(pool, theirs, 'x')
  // Whoever was refused has taken none of the output's own places.
  for (let n = 0; n < 3; n++) assert.equal((await fetch(url(another))).status, 429)
  assert.equal((await fetch(url(theirs))).status, 200)
  leaving.abort()
  await fail(pool, another, 'x')
  await until('there is room', async () => (await fetch(url(another))).status === 200)
})

test('who hangs up before they are answered takes nobody’s place', async () => {
  const build = await aBuild()
  const { url, hangsUp } = await served({ ...bounds, ofEach: 2 })
  for (let n = 0; n < 10; n++) await hangsUp(build)
  await fail(pool, build, 'x')
  assert.equal((await fetch(url(build))).status, 200)
})

async function aBuild(): Promise<BuildId> {
  const { app, account } = await anApp(pool)
  const { id } = await inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: null, sourceUrl: null }),
  )
  return id
}

async function served(
  its: SharedPlaceLimits,
  accountOf: (build: BuildId) => AccountId = () => someone,
) {
  let queries = 0
  const counted: Queryable = {
    query: (text, values) => {
      queries += 1
      return pool.query(text, [...(values ?? [])])
    },
  }
  const server = Fastify()
  const send = outputFeed(counted, 'build', its)
  const output = (request: FastifyRequest) => {
    const { build } = request.params as { build: BuildId }
    return { printer: { build }, account: accountOf(build) }
  }
  server.get('/:build', (request, reply) => send(output(request), reply))
  let late = 0
  // As a handler that looks its build up meanwhile.
  server.get('/late/:build', async (request, reply) => {
    if (!reply.raw.destroyed) await once(reply.raw, 'close')
    late += 1
    return send(output(request), reply)
  })
  server.setErrorHandler(async (error, _request, reply) =>
    reply.status(error instanceof Problem ? error.status : 500).send(),
  )
  await server.listen({ port: 0, host: '127.0.0.1' })
  servers.push(server)
  const { port } = server.server.address() as AddressInfo
  return {
    url: (build: BuildId) => `http://127.0.0.1:${port}/${build}`,
    asked: () => queries,
    hangsUp: async (build: BuildId) => {
      const before = late
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      socket.write(`GET /late/${build} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await once(socket, 'ready')
      socket.resetAndDestroy()
      await until('it came too late', () => late > before)
    },
  }
}
