import assert from 'node:assert/strict'
import { test } from 'node:test'

import ssh2 from 'ssh2'

import { sshKeyPair } from './ssh-key-pair.ts'

test('every key that is made can be read', () => {
  // Of as many of ssh2's own, all can be read once in 2,500 times.
  for (let made = 0; made < 2000; made++) {
    assert.ok(!(ssh2.utils.parseKey(sshKeyPair().private) instanceof Error))
  }
})
