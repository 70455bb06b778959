import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'

import { array, assert as check, integer, property, tuple } from 'fast-check'

import { fuzzRuns } from '../../../test/fuzz-runs.ts'
import { textOf } from '../../lib/ipv4.ts'
import { disjoint, reverseZones, without } from './networks.ts'

test('a network without a part of it is what is left around that', () => {
  assert.deepEqual(without(['10.0.0.0/8', '192.168.0.0/16'], ['10.64.0.0/10']), [
    '10.0.0.0/10',
    '10.128.0.0/9',
    '192.168.0.0/16',
  ])
  assert.equal(without(['10.0.0.0/8'], ['10.1.2.3']).length, 24)
  assert.deepEqual(without(['10.0.0.0/8'], ['0.0.0.0/0']), [])
  assert.deepEqual(without(['10.0.0.0/8'], []), ['10.0.0.0/8'])
})

test('an address is left exactly if it was there and in none of the others', () => {
  const network = tuple(
    integer({ min: 0, max: 2 ** 16 }),
    integer({ min: 8, max: 32 }),
  ).map(([at, length]) => `${textOf(0x0a000000 + at * 37)}/${length}`)
  check(
    property(
      array(network, { maxLength: 5 }),
      array(network, { maxLength: 5 }),
      array(integer({ min: 0x0a000000, max: 0x0a000000 + 37 * 2 ** 16 })),
      (networks, others, addresses) => {
        const [all, holes, left] = [networks, others, without(networks, others)].map(
          listOf,
        )
        for (const address of addresses.map(textOf)) {
          const wanted = all?.check(address) === true && holes?.check(address) === false
          assert.equal(left?.check(address), wanted, address)
        }
      },
    ),
    fuzzRuns({ usual: 100, soaked: 5000 }),
  )
})

test('networks that overlap have each address once', () => {
  assert.deepEqual(disjoint(['10.0.0.0/8', '10.1.0.0/16', '8.8.8.8']), [
    '10.0.0.0/8',
    '8.8.8.8/32',
  ])
  assert.deepEqual(disjoint(['0.0.0.0/1', '0.0.0.0/0']), ['0.0.0.0/1', '128.0.0.0/1'])
})

test('the zones for names of addresses go by octets', () => {
  assert.deepEqual(reverseZones('10.0.0.0/8'), ['10.in-addr.arpa'])
  assert.deepEqual(reverseZones('192.168.0.0/16'), ['168.192.in-addr.arpa'])
  const carriers = reverseZones('100.64.0.0/10')
  assert.equal(carriers.length, 64)
  assert.deepEqual(
    [carriers.at(0), carriers.at(-1)],
    ['64.100.in-addr.arpa', '127.100.in-addr.arpa'],
  )
  assert.equal(reverseZones('224.0.0.0/3').at(-1), '255.in-addr.arpa')
})

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const it of networks) {
    const [address = '', length] = it.split('/')
    list.addSubnet(address, Number(length))
  }
  return list
}
