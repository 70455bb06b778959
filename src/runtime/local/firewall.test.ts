import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NOTHING_ALLOWED } from '../../model/allowances.ts'
import { NOT_PUBLIC } from '../../model/not-public.ts'
import { type FirewallFacts, firewallRules } from './firewall.ts'
import { resolverConfig } from './resolver-config.ts'

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
  const at = (start: string) => chain.findIndex((rule) => rule.startsWith(start))
  const order = [
    at('ct state new jump begun'),
    // Who asks too much has nothing of its own, nor of what all share.
    at('meta l4proto udp update @asking'),
    at('meta l4proto udp update @granted'),
    at('meta l4proto udp limit rate over 300/second burst 1000 packets drop'),
    at('meta l4proto tcp add @asking_by'),
    at('goto resolver'),
  ]
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
  assert.equal(order[0], 0)
  assert.equal(order.at(-1), chain.length - 1)
  assert.deepEqual(chainNamed('resolver'), ['socket wildcard 0 accept', 'drop'])
})

test('a hundred dynos that ask all they may leave a quarter of the resolver to others', () => {
  const chain = chainNamed('names').join('\n')
  const its = { gateway: facts.gateway, follows: [], allowances: facts.allowances }
  const config = resolverConfig(its)
  const most = (setting: string) => Number(config.split(`${setting}=`)[1]?.split('\n')[0])
  const all =
    100 * underWay(chain, /update @granted .* limit rate/) +
    underWay(chain, /udp limit rate over/)
  assert.ok(all <= (3 / 4) * most('dns-forward-max'), `${all} under way`)
  const byTcp = Number(/ct count over (\d+)/.exec(chain)?.[1])
  assert.ok(100 * byTcp <= (3 / 4) * most('max-tcp-connections'))
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

/** Questions that nobody answers; the resolver waits ten seconds for each. */
function underWay(chain: string, rule: RegExp): number {
  const pace = new RegExp(`${rule.source} (\\d+)/second burst (\\d+)`).exec(chain)
  const [each = NaN, saved = NaN] = pace?.slice(1).map(Number) ?? []
  return saved + 10 * each
}
