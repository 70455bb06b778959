/** Whom the kernel takes first where the machine's memory runs out. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'

const { run } = await aLocalRuntime()

test('what a dyno runs comes before what the host does', async () => {
  const { text } = await run(
    'cat /proc/1/oom_score_adj; exec cat /proc/self/oom_score_adj',
  )
  assert.equal(text, '500\n500\n')
})
