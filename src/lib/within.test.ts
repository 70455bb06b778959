import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SECOND } from './clock.ts'
import { within } from './within.ts'

const never = new Promise<never>(() => {})

test('what comes in time is given, and a failure in time is one', async () => {
  assert.equal(await within(20 * SECOND, Promise.resolve('done')), 'done')
  await assert.rejects(within(20 * SECOND, Promise.reject(new Error('its own'))), {
    message: 'its own',
  })
})

test('what takes longer, or than the signal lets it, is not waited for', async () => {
  assert.equal(await within(10, never), undefined)
  assert.equal(await within(20 * SECOND, never, AbortSignal.timeout(10)), undefined)
  assert.equal(await within(20 * SECOND, never, AbortSignal.abort()), undefined)
})

test('what fails after that is told to nobody, and does no harm', async () => {
  const work = Promise.withResolvers<never>()
  assert.equal(await within(1, work.promise), undefined)
  work.reject(new Error('too late'))
  // An unhandled rejection would fail this file.
  await new Promise(setImmediate)
})
