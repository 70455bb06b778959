import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi, type Json } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { settleRelease } from '../../actions/settle-release.ts'
import type { ReleaseId } from '../../model/ids.ts'
import { appendOutput } from '../../store/output.ts'
import { inTransaction } from '../../store/queryable.ts'

const pool = aDatabase()

async function pendingRelease() {
  const { call, server } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy({ web: 'node index.js', release: 'node migrate.js' })
  const app = `/apps/${made.app.name}`
  const newest = async () => (await call(`GET ${app}/releases/3`)).body
  const id = String((await newest()).id) as ReleaseId
  const settle = (failure?: string) =>
    inTransaction(pool, (tx) => settleRelease(tx, { release: id, failure }))
  return { call, server, app, newest, id, settle }
}

test('a release is pending while its command runs, then the current one', async () => {
  const { call, app, newest, settle } = await pendingRelease()
  const before = await newest()
  assert.deepEqual([before.status, before.current], ['pending', false])
  assert.match(
    String(before['output_stream_url']),
    /^http:\/\/localhost(:\d+)?\/releases\/[\w-]{36}\.[\w-]{43}\/output$/,
  )
  const { body: formation } = await call(`GET ${app}/formation`)
  assert.deepEqual(
    (formation as unknown as Json[]).map((it) => [it.type, it['quantity']]),
    [['release', 0]],
  )
  const [scaled, sized] = [
    await call(`PATCH ${app}/formation/release`, { quantity: 1 }),
    await call(`PATCH ${app}/formation/release`, { size: 'standard-2x' }),
  ]
  assert.deepEqual([scaled.status, sized.status], [422, 200])
  await settle()
  const after = await newest()
  assert.deepEqual([after.status, after.current], ['succeeded', true])
})

test('what its command prints streams to its end', async () => {
  const { server, newest, id, settle } = await pendingRelease()
  const { pathname } = new URL(String((await newest())['output_stream_url']))
  const streamed = server.inject({ method: 'GET', url: pathname })
  await appendOutput(pool, { release: id }, 'migrating\n')
  await appendOutput(pool, { release: id }, 'done\n')
  await settle('The release command exited with status 1.')
  const { body, statusCode } = await streamed
  assert.deepEqual([statusCode, body], [200, 'migrating\ndone\n'])
  const ended = await newest()
  assert.deepEqual([ended.status, ended.current], ['failed', false])
})

test('a release without a command has no output', async () => {
  const { call } = await anApi(pool)
  const { app } = await anApp(pool)
  const { body } = await call(`GET /apps/${app.name}/releases/2`)
  assert.equal(body['output_stream_url'], null)
  const { status } = await call('GET /releases/nothing/output')
  assert.equal(status, 404)
})

test('a failed release is not one to roll back to, but its code can be tried again', async () => {
  const { call, app, newest, settle } = await pendingRelease()
  await settle('It was not to be.')
  const failed = await newest()
  assert.equal(failed['eligible_for_rollback'], false)
  const back = await call(`POST ${app}/releases`, { release: failed.id })
  assert.equal(back.status, 422)
  const retried = await call(`POST ${app}/releases`, {
    slug: failed['slug']?.['id'],
    description: 'Retry of v3: Deploy',
  })
  assert.deepEqual([retried.status, retried.body.status], [201, 'pending'])
})
