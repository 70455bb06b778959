import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NOTHING_ALLOWED } from '../../model/allowances.ts'
import { resolverConfig } from './resolver-config.ts'

const facts = {
  gateway: '172.16.64.1',
  follows: ['/etc/resolv.conf', '/data/name-servers'],
  allowances: NOTHING_ALLOWED,
}

test('it listens at the gateway alone, and follows the machine`s name servers', () => {
  const all = linesOf(facts)
  assert.deepEqual(starting(all, 'listen-address'), ['listen-address=172.16.64.1'])
  assert.deepEqual(starting(all, 'interface'), [])
  assert.ok(all.includes('bind-dynamic'))
  assert.deepEqual(starting(all, 'resolv-file'), [
    'resolv-file=/etc/resolv.conf',
    'resolv-file=/data/name-servers',
  ])
})

test('it knows nothing of the machine and offers nothing but names', () => {
  const all = linesOf(facts)
  for (const it of ['no-hosts', 'no-ident', 'domain-needed', 'bogus-priv']) {
    assert.ok(all.includes(it), it)
  }
  assert.ok(!all.some((it) => /^(dhcp|enable-tftp|tftp|domain=|addn-hosts)/.test(it)))
})

test('answers with addresses that are not public are withheld, and nobody is asked about those', () => {
  const all = linesOf(facts)
  for (const it of ['10.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10', '::/3']) {
    assert.ok(all.includes(`bogus-nxdomain=${it}`), it)
  }
  for (const it of ['10.in-addr.arpa', '254.169.in-addr.arpa', '31.172.in-addr.arpa']) {
    assert.ok(all.includes(`local=/${it}/`), it)
  }
  assert.ok(all.includes('local=/internal/'))
})

test('what the operator allows is told, and names that only private networks have', () => {
  const networks = ['10.1.0.0/16', '192.168.7.7']
  const allowances = { ...NOTHING_ALLOWED, networks }
  const all = linesOf({ ...facts, allowances })
  const withheld = starting(all, 'bogus-nxdomain=10.')
  assert.ok(withheld.includes('bogus-nxdomain=10.0.0.0/16'))
  assert.ok(!withheld.includes('bogus-nxdomain=10.1.0.0/16'))
  assert.ok(!all.includes('bogus-nxdomain=192.168.0.0/16'))
  assert.ok(all.includes('bogus-nxdomain=172.16.0.0/12'))
  assert.ok(!all.includes('local=/internal/'))
  assert.ok(all.includes('local=/bind/'))
})

test('addresses that the operator closes are told no more, but for what of them is allowed', () => {
  const allowances = {
    ...NOTHING_ALLOWED,
    closed: ['8.8.8.0/24'],
    networks: ['8.8.8.0/25'],
  }
  const all = linesOf({ ...facts, allowances })
  assert.deepEqual(starting(all, 'bogus-nxdomain=8.'), ['bogus-nxdomain=8.8.8.128/25'])
})

function linesOf(its: Parameters<typeof resolverConfig>[0]): string[] {
  return resolverConfig(its).split('\n')
}

function starting(all: readonly string[], text: string): string[] {
  return all.filter((it) => it.startsWith(text))
}
