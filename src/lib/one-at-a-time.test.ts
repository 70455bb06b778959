import assert from 'node:assert/strict'
import { test } from 'node:test'

import { OneAtATime } from './one-at-a-time.ts'

const { signal } = new AbortController()

test('work of one key is done in the order it came, and of another beside it', async () => {
  const lines = new OneAtATime<string>()
  const first = Promise.withResolvers<void>()
  const done: string[] = []
  const of = (key: string, name: string, wait?: Promise<void>) =>
    lines.do(key, signal, async () => {
      await wait
      done.push(name)
    })
  const all = [of('a', 'first', first.promise), of('a', 'second')]
  await of('b', 'other')
  first.resolve()
  await Promise.all(all)
  assert.deepEqual(done, ['other', 'first', 'second'])
})

test('who is called off while it waits leaves at once; who came after it still waits', async () => {
  const lines = new OneAtATime<string>()
  const first = Promise.withResolvers<void>()
  const done: string[] = []
  const begun = lines.do('a', signal, async () => {
    await first.promise
    done.push('first')
  })
  const calledOff = new AbortController()
  const left = lines.do('a', calledOff.signal, async () => void done.push('never'))
  const last = lines.do('a', signal, async () => void done.push('last'))
  calledOff.abort()
  await assert.rejects(left, { name: 'AbortError' })
  assert.deepEqual(done, [])
  first.resolve()
  await Promise.all([begun, last])
  assert.deepEqual(done, ['first', 'last'])
})

test('what fails is told to whoever asked for it, and keeps nobody', async () => {
  const lines = new OneAtATime<string>()
  const failing = lines.do('a', signal, () => Promise.reject(new Error('broken')))
  const next = lines.do('a', signal, async () => 'done')
  await assert.rejects(failing, /broken/)
  assert.equal(await next, 'done')
})
