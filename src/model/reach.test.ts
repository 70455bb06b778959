import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isNetwork, mayReach } from './reach.ts'

const strict = { own: ['198.41.0.4', '2606:4700::1'], allowed: [] }

const closed =
  `127.0.0.1 127.8.8.8 0.0.0.0 169.254.169.254 10.0.0.1 172.20.0.7 192.168.1.1
  168.63.129.16 192.0.0.192
  100.100.0.1 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 fe80::1
  fd00:ec2::254 64:ff9b::7f00:1 2002:7f00:1:: ff02::1 2001:db8::1 198.41.0.4
  ::ffff:198.41.0.4 2606:4700:0::1`.split(/\s+/)
for (const address of closed) {
  test(`${address} is not reached`, () => assert.equal(mayReach(address, strict), false))
}

for (const address of [
  '8.8.8.8',
  '93.184.215.14',
  '172.32.0.1',
  '168.63.129.17',
  '2606:4700::1111',
]) {
  test(`${address} is reached`, () => assert.equal(mayReach(address, strict), true))
}

test('what is allowed is reached, and nothing beside it', () => {
  const reach = { ...strict, allowed: ['127.0.0.0/8', '::1', 'fd00::/16'] }
  assert.equal(mayReach('127.0.0.1', reach), true)
  assert.equal(mayReach('::ffff:127.0.0.1', reach), true)
  assert.equal(mayReach('::1', reach), true)
  assert.equal(mayReach('fd00::7', reach), true)
  assert.equal(mayReach('::2', reach), false)
  assert.equal(mayReach('169.254.169.254', reach), false)
})

test('a network is an address, with or without a length', () => {
  for (const it of ['10.0.0.0/8', '10.0.0.1', '::1', 'fd00::/8']) {
    assert.ok(isNetwork(it), it)
  }
  for (const it of ['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/ 8', '']) {
    assert.ok(!isNetwork(it), it)
  }
})
