import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { ScriptedRuntime } from '../../test/scripted-runtime.ts'
import { createBuild } from '../actions/create-build.ts'
import { outputFrom } from '../store/build-output.ts'
import { inTransaction } from '../store/queryable.ts'
import { buildDyno } from './build-dyno.ts'
import { pumpOutput } from './pump-output.ts'

const pool = aDatabase()

test('of a build that prints without end so much is kept, and that is said', async () => {
  const { app, account } = await anApp(pool)
  const build = await inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: null, sourceUrl: 'x' }),
  )
  const runtime = new ScriptedRuntime()
  const dyno = buildDyno({
    build,
    address: '172.20.0.2',
    builtIns: 'buildpacks/x',
    buildpacks: [],
    environment: {},
  })
  await runtime.start(dyno)
  const { signal } = new AbortController()
  for (const line of ['12345678\n', '12345678\n', '12345678\n']) {
    runtime.print(dyno.id, line)
    await pumpOutput(build.id, { pool, runtime }, signal, 18)
  }
  const pieces = await outputFrom(pool, build.id, 0)
  const text = pieces.map((piece) => piece.text).join('')
  assert.match(
    text,
    /^12345678\n12345678\n\n !     The build has printed all that is kept/,
  )
  assert.equal(text.match(/1234/g)?.length, 2)
})
