import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId, type SlugId } from './ids.ts'
import { type ReleaseOfSlug, SLUGS_KEPT, slugsToDestroy } from './slug-retention.ts'

/** Newest first. */
const slugs = Array.from({ length: SLUGS_KEPT + 3 }, () => newId<'slug'>())
const oldest = slugs.slice(SLUGS_KEPT)
const releases = slugs.map((slug, place) => releaseOf(slug, { current: place === 0 }))

test('the slugs of the last deploys are kept', () => {
  assert.deepEqual(slugsToDestroy({ slugs, releases, running: [] }), oldest)
})

test('releases that only change config vars do not count', () => {
  const often = releases.flatMap((it) => [it, it, it])
  assert.deepEqual(slugsToDestroy({ slugs, releases: often, running: [] }), oldest)
})

test('a failed deploy takes the place of none that can be rolled back to', () => {
  const failed = newId<'slug'>()
  const older = newId<'slug'>()
  const facts = {
    slugs: [failed, older, ...slugs],
    releases: [failed, older].map((it) => releaseOf(it, { status: 'failed' })),
    running: [],
  }
  const gone = slugsToDestroy({ ...facts, releases: [...facts.releases, ...releases] })
  assert.deepEqual(gone, [older, ...oldest])
})

test('what runs, or is about to, is kept however old it is', () => {
  const [running, current, pending] = oldest
  assert.ok(running && current && pending)
  const aged = slugs.map((slug) =>
    releaseOf(slug, {
      current: slug === current,
      status: slug === pending ? 'pending' : 'succeeded',
    }),
  )
  assert.deepEqual(slugsToDestroy({ slugs, releases: aged, running: [running] }), [])
})

test('one that no release has goes', () => {
  const alone = newId<'slug'>()
  assert.deepEqual(slugsToDestroy({ slugs: [alone], releases: [], running: [] }), [alone])
})

function releaseOf(slug: SlugId, but: Partial<ReleaseOfSlug> = {}): ReleaseOfSlug {
  return { slug, status: 'succeeded', current: false, ...but }
}
