import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runProgram } from './run-program.ts'

test('a program is given its input, and starts where nothing is held', async () => {
  assert.equal(await runProgram(['cat'], { input: 'hello' }), 'hello')
  assert.equal(await runProgram(['cat']), '')
  assert.equal(await runProgram(['pwd']), '/\n')
  assert.equal(await runProgram(['pwd'], { cwd: '/usr' }), '/usr\n')
  // It ends without reading, by a status that is good.
  assert.equal(await runProgram(['true'], { input: 'x'.repeat(1e6) }), '')
})

test('one that fails says how, and what it printed', async () => {
  const both = ['sh', '-c', 'echo the reason; echo the complaint >&2; exit 3']
  const words = /ended with status 3: the complaint\nthe reason$/
  await assert.rejects(runProgram(both), words)
  await assert.rejects(runProgram(['sh', '-c', 'kill -9 $$']), /ended with SIGKILL: $/)
  await assert.rejects(runProgram(['/no/such/program']), { code: 'ENOENT' })
})

test('of complaints without end the first are kept, and it goes on', async () => {
  const script = '(echo the complaint; yes | head --bytes=100000000) >&2; exit 3'
  await assert.rejects(runProgram(['sh', '-c', script]), ({ message }: Error) => {
    assert.match(message, /ended with status 3: the complaint\ny\ny\n/)
    assert.ok(message.length < 70_000, `${message.length} letters`)
    return true
  })
})

test('one that prints without end is ended, and so is one that nobody waits for', async () => {
  await assert.rejects(runProgram(['yes']), /^Error: yes printed more than 67108864 /)
  const late = runProgram(['sleep', '1000'], { signal: AbortSignal.timeout(50) })
  await assert.rejects(late, { name: 'AbortError' })
})
