import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'

import { pause, SECOND } from './clock.ts'
import { Stalled, unlessStalled } from './unless-stalled.ts'

test('an upload that goes on comes through whole', async () => {
  const upload = new PassThrough()
  upload.write('a')
  setImmediate(() => upload.end('b'))
  const pieces: Buffer[] = []
  for await (const piece of unlessStalled(upload, 10 * SECOND)) pieces.push(piece)
  assert.equal(Buffer.concat(pieces).toString(), 'ab')
})

test('one that says nothing more is given up', async () => {
  const upload = new PassThrough()
  upload.write('a')
  const pieces = unlessStalled(upload, 20)
  assert.equal(String((await pieces.next()).value), 'a')
  await assert.rejects(pieces.next(), Stalled)
  assert.ok(upload.destroyed)
})

test('the time of whoever takes the pieces does not count', async () => {
  const upload = new PassThrough()
  upload.write('a')
  const pieces = unlessStalled(upload, 20)
  await pieces.next()
  // Longer than the upload's patience.
  await pause(60)
  upload.end('b')
  assert.equal(String((await pieces.next()).value), 'b')
})
