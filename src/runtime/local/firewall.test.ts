import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NOTHING_ALLOWED } from '../../model/allowances.ts'
import { NOT_PUBLIC } from '../../model/not-public.ts'
import { type FirewallFacts, firewallRules } from './firewall.ts'

const facts: FirewallFacts = {
  table: 'mayfly_a1b2c3_us',
  bridge: 'mfa1b2c3us',
  subnet: '172.16.64.0/18',
  reachedBy: [0, 106],
  gateway: '172.16.64.1',
  allowances: NOTHING_ALLOWED,
}

test('the table is replaced as a whole, in one transaction', () => {
  assert.ok(
    firewallRules(facts).startsWith(
      'table inet mayfly_a1b2c3_us {}\ndelete table inet mayfly_a1b2c3_us\ntable inet mayfly_a1b2c3_us {\n',
    ),
  )
})

test('no name server but the region`s own is let through, nor anything else that is not public', () => {
  assert.ok(!chainNamed('from_dynos').some((rule) => /dport 53/.test(rule)))
  assert.deepEqual(chainNamed('from_dynos').slice(-3), [
    `ip daddr { ${NOT_PUBLIC.join(', ')} } goto exceptions`,
    'tcp dport 25 goto exceptions',
    'goto passes',
  ])
  assert.deepEqual(chainNamed('exceptions'), ['', 'drop'])
})

test('neighbours are out of reach, and what was established with them', () => {
  const chain = chainNamed('from_dynos')
  assert.equal(chain.indexOf('oifname "mfa1b2c3us" drop'), 1)
  assert.equal(chain.indexOf('jump by_itself'), 0)
})

test('what is closed is asked before what is established, in both directions', () => {
  assert.ok(!chainNamed('from_dynos').some((rule) => rule.includes('established')))
  assert.equal(chainNamed('passes')[0], 'ct state established,related accept')
  const chain = chainNamed('answers')
  const closed = chain.findIndex((rule) => /^ip saddr .*10\.0\.0\.0\/8/.test(rule))
  assert.ok(closed > 0 && closed < chain.indexOf('ct state established accept'))
  assert.deepEqual(chain.slice(-2), ['ct state established accept', 'drop'])
})

test('the host answers nothing but its own connections, and at the gateway names', () => {
  assert.deepEqual(chainNamed('to_host').slice(-3), [
    'ip daddr 172.16.64.1 meta l4proto { tcp, udp } th dport 53 goto names',
    'ct direction reply ct state established,related accept',
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

test('what the operator allows is an exception, for its answers too', () => {
  const allowances = { ...NOTHING_ALLOWED, networks: ['10.1.0.0/16', '10.1.2.3'] }
  const allowed = { ...facts, allowances }
  assert.deepEqual(chainNamed('exceptions', allowed).slice(-3), [
    'ip daddr 10.1.0.0/16 goto passes',
    'ip daddr 10.1.2.3 goto passes',
    'drop',
  ])
  assert.deepEqual(chainNamed('answers_of_exceptions', allowed).slice(-3), [
    'ip saddr 10.1.0.0/16 ct state established accept',
    'ip saddr 10.1.2.3 ct state established accept',
    'drop',
  ])
  // Of the host it opens nothing.
  assert.deepEqual(chainNamed('to_host', allowed), chainNamed('to_host'))
})

test('metadata services that look public are closed', () => {
  const [rule = ''] = chainNamed('from_dynos').slice(-3)
  for (const it of ['168.63.129.16/32', '192.0.0.0/24']) assert.ok(rule.includes(it), it)
})

test('what the operator closes is closed, in both directions, in one set without overlaps', () => {
  const allowances = {
    ...NOTHING_ALLOWED,
    closed: ['8.8.8.8', '8.8.8.0/30', '10.1.0.0/16'],
  }
  const all = [...NOT_PUBLIC, '8.8.8.8/32', '8.8.8.0/30'].join(', ')
  const those = { ...facts, allowances }
  const [chain, answers] = [chainNamed('from_dynos', those), chainNamed('answers', those)]
  assert.ok(chain.includes(`ip daddr { ${all} } goto exceptions`))
  assert.ok(answers.includes(`ip saddr { ${all} } goto answers_of_exceptions`))
})

test('mail is let through where the operator says so', () => {
  const allowances = { ...NOTHING_ALLOWED, mail: true }
  assert.ok(!/port 25\b/.test(firewallRules({ ...facts, allowances })))
})

function chainNamed(name: string, of: FirewallFacts = facts): string[] {
  const body = firewallRules(of).split(`chain ${name} {\n`)[1]?.split('\n  }')[0] ?? ''
  return body.split('\n').map((line) => line.trim())
}
