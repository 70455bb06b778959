import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { destroyApp } from '../actions/destroy-app.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { lookAfterApp } from '../manager/look-after-app.ts'
import { removeTree } from '../lib/remove-tree.ts'
import { newId } from '../model/ids.ts'
import { destroyedApps } from '../store/app-remains.ts'
import { inTransaction } from '../store/queryable.ts'
import { repositoryName } from './git-repository.ts'
import { removeRepositories } from './prune-repositories.ts'

const pool = aDatabase()
const { signal } = new AbortController()

test("a destroyed app's repository goes by the hand of `git`, and only then its rows", async () => {
  const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-repositories-')))
  const [kept, destroyed] = [await anApp(pool), await anApp(pool)]
  const stranger = newId<'app'>()
  for (const app of [kept.app.id, destroyed.app.id, stranger]) {
    mkdirSync(join(data.repos, repositoryName(app), 'objects'), { recursive: true })
    writeFileSync(join(data.repos, repositoryName(app), 'HEAD'), '')
  }
  const look = lookAfterApp({ pool, directories: data, removeTree })

  await removeRepositories({ pool, data })
  assert.equal(readdirSync(data.repos).length, 3)
  await inTransaction(pool, (tx) => destroyApp(tx, destroyed.app, destroyed.account))
  assert.ok((await look(destroyed.app.id, signal)) < Infinity)
  assert.equal(readdirSync(data.repos).length, 3)
  assert.deepEqual(await destroyedApps(pool), [destroyed.app.id])

  await removeRepositories({ pool, data })
  assert.deepEqual(
    new Set(readdirSync(data.repos)),
    new Set([kept.app.id, stranger].map(repositoryName)),
  )
  assert.equal(await look(destroyed.app.id, signal), Infinity)
  assert.deepEqual(await destroyedApps(pool), [])
  rmSync(data.root, { recursive: true })
})
