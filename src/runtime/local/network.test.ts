import assert from 'node:assert/strict'
import { test } from 'node:test'

import { textOf } from '../../lib/ipv4.ts'
import { firstUidOf, subnetOf } from './address.ts'
import { machineNames } from './machine-names.ts'
import { dynoNetwork } from './network.ts'
import { dynoResolvConf, resolversIn } from './resolvers.ts'

const region = { bridge: 'mfa1b2c3us', subnet: subnetOf('172.16.64.0/18'), mtu: 1400 }
const dyno = { link: 'mva1b2c34009', address: '172.16.64.9' }

test('a dyno has its link to the bridge, and goes by its gateway', () => {
  assert.deepEqual(dynoNetwork(region, dyno), {
    link: 'mva1b2c34009',
    bridge: 'mfa1b2c3us',
    mtu: 1400,
    address: '172.16.64.9',
    hardwareAddress: '02:4d:ac:10:40:09',
    gateway: '172.16.64.1',
  })
})

test('names fit a link, whatever the region is called', () => {
  const names = machineNames('a1b2c3', 'us-west-california')
  const other = machineNames('a1b2c3', 'us-west-oregon')
  const all = [names.bridge, names.link('172.31.255.255')]
  assert.ok(all.every((name) => name.length <= 15))
  assert.notEqual(names.bridge, other.bridge)
})

test('uids of neighbours do not overlap, and fit 32 bits', () => {
  assert.equal(firstUidOf('172.16.0.2') - firstUidOf('172.16.0.1'), 2048)
  assert.ok(firstUidOf('172.31.255.255') + 2047 < 2 ** 32 - 2)
  assert.equal(textOf(2 ** 32 - 1), '255.255.255.255')
})

test("the machine's name servers are followed wherever they are, its search is not", () => {
  const text =
    '# none\nnameserver 127.0.0.53\n nameserver\t10.0.0.2 # two\nnameserver fe80::1%eth0\nnameserver none.example\nsearch corp.example\n'
  assert.deepEqual(resolversIn(text), ['127.0.0.53', '10.0.0.2', 'fe80::1%eth0'])
})

test('a dyno knows the gateway and no other name server', () => {
  assert.match(
    dynoResolvConf('172.16.64.1'),
    /^nameserver 172\.16\.64\.1\noptions [^\n]+\n$/,
  )
})
