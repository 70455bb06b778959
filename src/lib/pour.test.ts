import assert from 'node:assert/strict'
import { PassThrough, Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

import { pour } from './pour.ts'

test('what is taken arrives whole, and ends', async () => {
  const into = new PassThrough()
  const arrived = text(into)
  await pour(Readable.from(['a', 'b', 'c'].map((it) => Buffer.from(it))), into)
  assert.equal(await arrived, 'abc')
})

test('what is not taken any more is read to its end all the same', async () => {
  const taken: string[] = []
  const into = new Writable({
    write(piece: Buffer, _, done) {
      taken.push(piece.toString())
      done(taken.length === 2 ? new Error('enough') : null)
    },
  })
  const read: string[] = []
  await pour(
    (async function* () {
      for (const piece of ['a', 'b', 'c', 'd']) {
        yield Buffer.from(piece)
        read.push(piece)
      }
    })(),
    into,
  )
  assert.deepEqual(taken, ['a', 'b'])
  assert.deepEqual(read, ['a', 'b', 'c', 'd'])
})

test('of what nobody takes there is an end, too', async () => {
  const into = new Writable().destroy()
  let read = 0
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read += 1
        yield Buffer.alloc(10)
      }
    })(),
    { highWaterMark: 1 },
  )
  await pour(endless, into, 100)
  assert.ok(endless.destroyed)
  assert.ok(read >= 10 && read < 20)
})

test('an upload that breaks off ends what is made of it', async () => {
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('a')
      throw new Error('gone')
    })(),
  )
  const into = new PassThrough()
  await pour(broken, into)
  assert.ok(into.destroyed)
})
