/** Whoever has the URL of a source has the code: who is told it, and who is not. */

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { createBuild } from '../src/actions/create-build.ts'
import { createSource } from '../src/actions/create-source.ts'
import { buildDynoId } from '../src/builds/build-dyno.ts'
import type { BuildId } from '../src/model/ids.ts'
import { findBuild, hasPushUnderWay, sourceUrls } from '../src/store/builds.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { aRegionOfBuilds } from './a-build.ts'
import { type AnApi, anApi, type Json } from './an-api.ts'
import { secrets } from './an-app.ts'
import { asRole, aDatabase } from './postgres.ts'

const URL = 'https://user:secret@example.com/source.tgz'
const pool = aDatabase()
const git = asRole(pool, 'mayfly_git')

suite('URLs of sources', () => {
  const builds = aRegionOfBuilds(pool)
  let api: AnApi
  before(async () => {
    api = await anApi(pool)
  })
  after(() => api.server.close())

  test('git has what is pushed built, follows it, and reads no URL of another build', async () => {
    const { app, account } = builds
    await requested()
    const build = await inTransaction(git, async (tx) => {
      const source = await createSource(tx, account.id)
      return createBuild(tx, { app, account, source: source.id, sourceUrl: null })
    })
    assert.equal((await findBuild(git, build.id))?.pushed, true)
    assert.equal(await hasPushUnderWay(git, app.id), true)
    await assert.rejects(sourceUrls(git, [build], secrets), { code: '42501' })
  })

  test('a build of somebody else’s URL is no push', async () => {
    await requested()
    assert.equal(await hasPushUnderWay(pool, builds.app.id), false)
  })

  test('its dyno is told it', async () => {
    const id = await requested()
    const build = await findBuild(pool, id)
    assert.ok(build)
    await builds.look(build)
    const dyno = builds.runtime.starts.find((it) => it.id === buildDynoId({ id }))
    assert.equal(dyno?.environment['MAYFLY_SOURCE_URL'], URL)
  })

  test('who may deploy is told it, and of a push the source’s id', async () => {
    const { app } = builds
    const asked = await requested()
    const build = await builds.aBuild()
    const shown = await api.call(`GET /apps/${app.name}/builds`)
    const urls = (shown.body as unknown as Json[]).map((it) => [
      it['id'],
      it['source_blob']?.['url'],
    ])
    assert.deepEqual(urls, [
      [asked, URL],
      [build.id, `git:${app.name}#${build.source}`],
    ])
  })

  async function requested(): Promise<BuildId> {
    const wish = { app: builds.app, account: builds.account, source: null }
    const make = { ...wish, sourceUrl: secrets.seal(URL, builds.app.id) }
    return (await inTransaction(pool, (tx) => createBuild(tx, make))).id
  }
})
