import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createBuild } from '../actions/create-build.ts'
import { keepOutput } from './keep-output.ts'
import { outputFrom } from './output.ts'
import { inTransaction } from './queryable.ts'

const pool = aDatabase()

test('of what is printed without end so much is kept, and that is said', async () => {
  const { app, account } = await anApp(pool)
  const { id: build } = await inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: null, sourceUrl: null }),
  )
  let printed = ''
  const read = async (offset: number) => ({
    text: printed.slice(offset),
    offset: printed.length,
  })
  for (const line of ['12345678\n', '12345678\n', '12345678\n']) {
    printed += line
    await keepOutput(pool, { build }, { read, most: 18 })
  }
  const pieces = await outputFrom(pool, { build }, 0)
  const text = pieces.map((piece) => piece.text).join('')
  assert.match(text, /^12345678\n12345678\n\n !     This is all that is kept/)
  assert.equal(text.match(/1234/g)?.length, 2)
})
