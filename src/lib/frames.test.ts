import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { frame, framesIn } from './frames.ts'

test('frames come through whole, however the stream is cut', async () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 })
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }))
  await fc.assert(
    fc.asyncProperty(frames, cuts, async (sent, lengths) => {
      const bytes = Buffer.concat(sent.map((it) => frame(it)))
      const got = await all(framesIn(cut(bytes, lengths)))
      assert.deepEqual(
        got,
        sent.map((it) => Buffer.from(it)),
      )
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})

test('what is no frame is refused', async () => {
  await assert.rejects(all(framesIn(cut(Buffer.from('GET / HTTP/1.1'), []))))
})

async function* cut(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0
  for (const length of lengths) {
    yield bytes.subarray(start, start + length)
    start += length
  }
  yield bytes.subarray(start)
}

async function all(frames: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const got: Buffer[] = []
  for await (const it of frames) got.push(it)
  return got
}
