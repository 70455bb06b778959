import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type FirewallFacts, firewallRules } from './firewall.ts'

const facts: FirewallFacts = {
  table: 'mayfly_a1b2c3_us',
  bridge: 'mfa1b2c3us',
  subnet: '172.16.64.0/18',
  reachedBy: [0, 106],
  gateway: '172.16.64.1',
  allowances: { networks: [], mail: false },
}

test('the table is replaced as a whole, in one transaction', () => {
  assert.ok(
    firewallRules(facts).startsWith(
      'table inet mayfly_a1b2c3_us {}\ndelete table inet mayfly_a1b2c3_us\ntable inet mayfly_a1b2c3_us {\n',
    ),
  )
})

test('no name server but the region`s own is let through before private addresses are not', () => {
  const chain = chainNamed('from_dynos')
  assert.ok(!chain.some((rule) => /dport 53/.test(rule)))
  assert.equal(chain.at(-1), 'accept')
})

test('neighbours and metadata are out of reach', () => {
  const chain = chainNamed('from_dynos')
  assert.ok(chain.indexOf('oifname "mfa1b2c3us" drop') < chain.indexOf('accept'))
  assert.ok(chain.some((rule) => /169\.254\.0\.0\/16.*drop$/.test(rule)))
})

test('the host answers nothing but its own connections, and at the gateway names', () => {
  assert.deepEqual(chainNamed('to_host').slice(-3), [
    'ip daddr 172.16.64.1 meta l4proto { tcp, udp } th dport 53 goto names',
    'ct state established,related accept',
    'drop',
  ])
})

test('names are told by who listens at the gateway alone, at a pace for each dyno', () => {
  const chain = chainNamed('names')
  const pace = chain.findIndex((rule) =>
    rule.startsWith('meta l4proto udp update @asking'),
  )
  const many = chain.findIndex((rule) =>
    rule.startsWith('meta l4proto tcp add @asking_by'),
  )
  const open = chain.indexOf('socket wildcard 0 accept')
  assert.ok(chain.indexOf('ct state new jump begun') === 0)
  assert.ok(pace > 0 && pace < open && many > 0 && many < open)
  assert.equal(chain.at(-1), 'drop')
})

test('whoever is no dyno of the region finds no name server there', () => {
  assert.equal(
    chainNamed('input').at(-1),
    'iifname != "lo" ip daddr 172.16.64.1 meta l4proto { tcp, udp } th dport 53 drop',
  )
})

test('of the host nobody but the manager and the router begins anything with a dyno', () => {
  assert.deepEqual(chainNamed('to_dynos'), [
    'ct state established,related accept',
    'meta skuid { 0, 106 } accept',
    'drop',
  ])
})

test('what the operator allows is let through before private addresses are not', () => {
  const allowances = { networks: ['10.1.0.0/16', '10.1.2.3'], mail: false }
  const chain = chainNamed('from_dynos', { ...facts, allowances })
  const at = chain.indexOf('ip daddr 10.1.0.0/16 accept')
  const forbidden = chain.findIndex((rule) => /10\.0\.0\.0\/8.*drop$/.test(rule))
  assert.ok(at > chain.indexOf('oifname "mfa1b2c3us" drop') && at < forbidden)
  assert.equal(chain[at + 1], 'ip daddr 10.1.2.3 accept')
  assert.ok(chain.includes('tcp dport 25 drop'))
  // Of the host it opens nothing.
  assert.deepEqual(chainNamed('to_host', { ...facts, allowances }), chainNamed('to_host'))
})

test('mail is let through where the operator says so', () => {
  const allowances = { networks: [], mail: true }
  assert.ok(chainNamed('from_dynos').includes('tcp dport 25 drop'))
  assert.ok(!firewallRules({ ...facts, allowances }).includes('dport 25'))
})

function chainNamed(name: string, of: FirewallFacts = facts): string[] {
  const body = firewallRules(of).split(`chain ${name} {\n`)[1]?.split('\n  }')[0] ?? ''
  return body.split('\n').map((line) => line.trim())
}
