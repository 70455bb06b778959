import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { treeChecksum } from '../../lib/tree-checksum.ts'
import { SlugChecksumError } from '../runtime.ts'
import { slugVerifier, type VerifySlug } from './verify-slug.ts'

const slug = 'one'
let slugs = ''
let file = ''
let slugChecksum = ''
let verify: VerifySlug

beforeEach(async () => {
  slugs = mkdtempSync(join(tmpdir(), 'mayfly-slugs-'))
  mkdirSync(join(slugs, slug, 'app'), { recursive: true })
  file = join(slugs, slug, 'app', 'server.js')
  writeFileSync(file, 'serve()')
  slugChecksum = await treeChecksum(join(slugs, slug, 'app'))
  verify = slugVerifier(slugs)
})
afterEach(() => rmSync(slugs, { recursive: true }))

test('a slug that is as it was built is well', async () => {
  await verify({ slug, slugChecksum })
})

test('one that is not says what was expected, until it is put right', async () => {
  writeFileSync(file, 'spy()')
  const actual = await treeChecksum(join(slugs, slug, 'app'))
  const wrong = new SlugChecksumError(slugChecksum, actual)
  const both = await Promise.allSettled([
    verify({ slug, slugChecksum }),
    verify({ slug, slugChecksum }),
  ])
  assert.deepEqual(
    both.map((it) => it.status === 'rejected' && it.reason),
    [wrong, wrong],
  )
  assert.equal(wrong.code, 'slug_checksum')
  writeFileSync(file, 'serve()')
  await verify({ slug, slugChecksum })
})

test('one that is not there is missing, not wrong', async () => {
  rmSync(join(slugs, slug), { recursive: true })
  await assert.rejects(verify({ slug, slugChecksum }), { code: 'slug_missing' })
})

test('a slug is read once, and one without a checksum never', async () => {
  await verify({ slug, slugChecksum })
  writeFileSync(file, 'changed since')
  await verify({ slug, slugChecksum })
  await verify({ slug })
  await verify({})
})
