import assert from 'node:assert/strict'
import { test } from 'node:test'

import { dynoFile, dynoMetadata, wantsMetadata } from './dyno-metadata.ts'
import type { AppId, DynoId, ReleaseId } from './ids.ts'

test('a dyno is told of its app and release where its app wants it', () => {
  assert.equal(wantsMetadata({}), false)
  assert.equal(wantsMetadata({ 'runtime-dyno-metadata': true }), true)
  const facts = {
    app: { id: 'a1' as AppId, name: 'shop', domain: 'localhost' },
    release: {
      id: 'r1' as ReleaseId,
      version: 7,
      description: 'Deploy 5f2a1c3e',
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
    },
    commit: '5f2a1c3e00',
  }
  assert.deepEqual(dynoMetadata('d1' as DynoId, facts), {
    HEROKU_APP_DEFAULT_DOMAIN_NAME: 'shop.localhost',
    HEROKU_APP_ID: 'a1',
    HEROKU_APP_NAME: 'shop',
    HEROKU_DYNO_ID: 'd1',
    HEROKU_RELEASE_CREATED_AT: '2026-01-02T03:04:05Z',
    HEROKU_RELEASE_VERSION: 'v7',
    HEROKU_SLUG_COMMIT: '5f2a1c3e00',
    HEROKU_SLUG_DESCRIPTION: 'Deploy 5f2a1c3e',
  })
  const web1 = { id: 'd1' as DynoId, type: 'web', ordinal: 1 }
  assert.deepEqual(JSON.parse(dynoFile(web1, facts)), {
    dyno: { id: 'd1', name: 'web.1' },
    app: { id: 'a1', name: 'shop' },
    release: {
      id: 'r1',
      version: 7,
      commit: '5f2a1c3e00',
      description: 'Deploy 5f2a1c3e',
      created_at: '2026-01-02T03:04:05Z',
    },
  })
})
