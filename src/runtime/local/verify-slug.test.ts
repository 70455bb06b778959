import assert from 'node:assert/strict'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { until } from '../../../test/until.ts'
import { treeChecksum } from '../../lib/tree-checksum.ts'
import { type DynoId, newId } from '../../model/ids.ts'
import { RuntimeError, SlugChecksumError } from '../runtime.ts'
import { slugVerifier, type VerifySlug } from './verify-slug.ts'

const slug = 'one'
const [one, other] = [newId<'dyno'>(), newId<'dyno'>()]
let slugs = ''
let file = ''
let slugChecksum = ''
let verify: VerifySlug
let told: DynoId[] = []

beforeEach(async () => {
  slugs = mkdtempSync(join(tmpdir(), 'mayfly-slugs-'))
  mkdirSync(join(slugs, slug, 'app'), { recursive: true })
  file = join(slugs, slug, 'app', 'server.js')
  writeFileSync(file, 'serve()')
  slugChecksum = await treeChecksum(join(slugs, slug, 'app'))
  told = []
  verify = aManager('this boot')
})
afterEach(() => rmSync(slugs, { recursive: true }))

test('a slug that is as it was built is well, once that is known', async () => {
  const asked = { id: one, slug, slugChecksum }
  assert.equal(fault(asked), 'slug_unverified')
  assert.equal(fault({ ...asked, id: other }), 'slug_unverified')
  await tellsAll(one, other)
  assert.equal(fault(asked), undefined)
  assert.equal(fault({ ...asked, id: other }), undefined)
})

test('all who asked are told what is wrong with one, until it is put right', async () => {
  writeFileSync(file, 'spy()')
  const actual = await treeChecksum(join(slugs, slug, 'app'))
  const wrong = new SlugChecksumError(slugChecksum, actual)
  for (const id of [one, other])
    assert.equal(fault({ id, slug, slugChecksum }), 'slug_unverified')
  await tellsAll(one, other)
  for (const id of [one, other])
    assert.throws(() => verify({ id, slug, slugChecksum }), wrong)
  assert.equal(wrong.code, 'slug_checksum')

  writeFileSync(file, 'serve()')
  assert.equal(fault({ id: one, slug, slugChecksum }), 'slug_unverified')
  await tellsAll(one)
  assert.equal(fault({ id: one, slug, slugChecksum }), undefined)
})

test('the next manager reads none again that was well, until the machine is started anew', async () => {
  assert.equal(await outcome(), undefined)
  writeFileSync(file, 'changed since')
  verify = aManager('this boot')
  assert.equal(fault({ id: one, slug, slugChecksum }), undefined)
  verify = aManager('the next')
  assert.equal(await outcome(), 'slug_checksum')
})

test('the next manager reads one again that was put in the place of another', async () => {
  assert.equal(await outcome(), undefined)
  const app = join(slugs, slug, 'app')
  renameSync(app, join(slugs, 'aside'))
  cpSync(join(slugs, 'aside'), app, { recursive: true })
  writeFileSync(file, 'half')
  verify = aManager('this boot')
  assert.equal(await outcome(), 'slug_checksum')
})

test('one that is not there is missing, not wrong', async () => {
  rmSync(join(slugs, slug), { recursive: true })
  assert.equal(await outcome(), 'slug_missing')
})

test('one that cannot be read is neither, and is read again', async () => {
  renameSync(join(slugs, slug, 'app'), join(slugs, 'aside'))
  writeFileSync(join(slugs, slug, 'app'), 'not a directory')
  assert.equal(await outcome(), 'ENOTDIR')
  rmSync(join(slugs, slug, 'app'))
  renameSync(join(slugs, 'aside'), join(slugs, slug, 'app'))
  assert.equal(await outcome(), undefined)
})

test('a slug is read once, and one without a checksum never', async () => {
  assert.equal(await outcome(), undefined)
  writeFileSync(file, 'changed since')
  verify({ id: other, slug, slugChecksum })
  verify({ id: other, slug })
  verify({ id: other })
})

function aManager(boot: string): VerifySlug {
  return slugVerifier({ slugs, boot }, (askers) => told.push(...askers))
}

/** The code of what it throws; undefined: nothing. */
function fault(asked: Parameters<VerifySlug>[0]): string | undefined {
  try {
    verify(asked)
    return undefined
  } catch (error) {
    if (error instanceof RuntimeError) return error.code
    return (error as NodeJS.ErrnoException).code
  }
}

async function outcome(): Promise<string | undefined> {
  assert.equal(fault({ id: one, slug, slugChecksum }), 'slug_unverified')
  await tellsAll(one)
  return fault({ id: one, slug, slugChecksum })
}

async function tellsAll(...askers: readonly DynoId[]): Promise<void> {
  await until('all who asked are told', () => told.length === askers.length)
  assert.deepEqual(told, askers)
  told = []
}
