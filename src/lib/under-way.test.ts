import assert from 'node:assert/strict'
import { test } from 'node:test'

import { UnderWay } from './under-way.ts'

const { signal } = new AbortController()
/** With it, who asks waits for nothing. */
const hasty = AbortSignal.abort()

test('work goes on for whoever asks next, and is begun once', async () => {
  const works = new UnderWay<string>()
  const { promise, resolve } = Promise.withResolvers<string>()
  let begun = 0
  const ask = () =>
    works.ask(
      'it',
      () => {
        begun++
        return promise
      },
      hasty,
    )
  assert.deepEqual([await ask(), await ask(), begun], [undefined, undefined, 1])
  resolve('done')
  assert.deepEqual([await ask(), begun], [{ result: 'done' }, 1])
  assert.deepEqual([await ask(), begun], [{ result: 'done' }, 2])
})

test('who waits for it is told at once, and works of other keys are others', async () => {
  const works = new UnderWay<string>()
  const both = await Promise.all(
    ['one', 'two'].map((it) => works.ask(it, async () => it, signal)),
  )
  assert.deepEqual(both, [{ result: 'one' }, { result: 'two' }])
})

test('a failure is told once, to whoever asks after it, and then it begins anew', async () => {
  const works = new UnderWay<string>()
  const { promise, reject } = Promise.withResolvers<string>()
  assert.equal(await works.ask('it', () => promise, hasty), undefined)
  reject(new Error('no room'))
  await assert.rejects(
    works.ask('it', () => assert.fail('it is begun anew'), signal),
    /no room/,
  )
  assert.deepEqual(await works.ask('it', async () => 'done', signal), { result: 'done' })
})
