import assert from 'node:assert/strict'
import { test } from 'node:test'

import { freeSubnets, usedNetworks } from './free-subnets.ts'

test('networks in use, and what lies in them or around them, are left out', () => {
  const used = ['172.16.0.0/16', '172.17.64.1/18', '172.17.200.7', '10.0.0.0/8']
  assert.deepEqual(freeSubnets(3, used, 0), [
    '172.17.0.0/18',
    '172.17.128.0/18',
    '172.18.0.0/18',
  ])
})

test('the seed decides where the search begins, and it goes round', () => {
  assert.deepEqual(freeSubnets(2, [], 63), ['172.31.192.0/18', '172.16.0.0/18'])
})

test('a machine without room is told so', () => {
  assert.throws(() => freeSubnets(1, ['172.16.0.0/12'], 5), /only 0 free/)
})

test('the networks of this machine are addresses that can be compared', async () => {
  const used = await usedNetworks()
  assert.ok(used.includes('127.0.0.1/8'))
  assert.equal(freeSubnets(1, used, 0).length, 1)
})
