import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'

import { connectCommand, execAddress, onTerminal, publicKeyIn } from './exec.ts'

test('no two API ports have the same address', () => {
  assert.equal(execAddress(5080), '127.80.19.216')
  const all = Array.from({ length: 65536 }, (_, port) => execAddress(port))
  assert.equal(new Set(all).size, all.length)
})

test('a public key is told from what only looks like one', () => {
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from('ssh-ed25519'),
    Buffer.from([0, 0, 0, 32]),
    generateKeyPairSync('ed25519')
      .publicKey.export({ type: 'spki', format: 'der' })
      .subarray(-32),
  ]).toString('base64')
  assert.equal(publicKeyIn(`ssh-ed25519 ${blob} me@here\n`), `ssh-ed25519 ${blob}`)
  assert.equal(publicKeyIn(`ssh-ed25519 ${blob}`), `ssh-ed25519 ${blob}`)
  for (const wrong of [
    '',
    'ssh-ed25519',
    `ssh-rsa ${blob}`,
    `ssh-dss ${blob}`,
    'ssh-ed25519 AAAA',
    `command="id" ssh-ed25519 ${blob}`,
    `ssh-ed25519 ${'A'.repeat(20_000)}`,
  ]) {
    assert.equal(publicKeyIn(wrong), undefined, wrong.slice(0, 40))
  }
})

test('what a client says of its terminal or of an address is no command', () => {
  assert.equal(onTerminal('bash', 'xterm-256color'), 'export TERM=xterm-256color\nbash')
  assert.equal(onTerminal('bash', 'x; rm -rf /'), 'export TERM=dumb\nbash')
  for (const [host, port] of [
    ['a b', 80],
    ['$(id)', 80],
    ['-x', 80],
    ['', 80],
    ['localhost', 0],
    ['localhost', 65536],
    ['localhost', Number.NaN],
  ] as const) {
    assert.equal(connectCommand(host, port, ''), undefined, `${host} ${port}`)
  }
  const command = connectCommand('::1', 8080, `print "it's @ARGV"`) ?? ''
  assert.equal(execFileSync('bash', ['-c', command]).toString(), "it's ::1 8080")
})
