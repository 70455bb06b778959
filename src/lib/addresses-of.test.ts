import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aNameServer } from '../../test/a-resolver.ts'
import { aSilentNameServer } from '../../test/a-silent-name-server.ts'
import { addressesIn, addressesOf } from './addresses-of.ts'

const { signal } = new AbortController()

test('a hosts file says what its lines say', () => {
  const hosts = `127.0.0.1\tlocalhost other # 10.0.0.9 no
# 10.0.0.1 commented
10.0.0.2 Hooks.Example hooks
fe80::1%eth0 hooks
nonsense hooks
::1 localhost`
  const addresses = (host: string) => addressesIn(hosts, host).map((it) => it.address)
  assert.deepEqual(addresses('localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(addresses('hooks.example'), ['10.0.0.2'])
  assert.deepEqual(addresses('hooks'), ['10.0.0.2'])
  for (const host of ['commented', 'no', '', '10.0.0.2', 'example']) {
    assert.deepEqual(addresses(host), [], host)
  }
})

test('this machine is itself by any name, and no name server is asked', async (t) => {
  const nameServers = [await aSilentNameServer(t)]
  for (const name of ['localhost', 'LOCALHOST.', 'any.localhost']) {
    const [first] = await addressesOf(name, { signal, nameServers })
    assert.deepEqual(first, { address: '127.0.0.1', family: 4 }, name)
  }
})

test('name servers say the rest, or that there is none, or nothing', async (t) => {
  const server = await aNameServer([
    'host-record=both.example,93.184.216.34,2606:2800::1',
    'host-record=six.example,2606:2800::2',
    'cname=other.example,both.example',
    'txt-record=text.example,only',
  ])
  t.after(server.close)
  const nameServers = [server.address]
  const of = async (name: string) =>
    (await addressesOf(name, { signal, nameServers })).map((it) => it.address)
  for (const name of ['both.example', 'other.example', 'BOTH.example.']) {
    assert.deepEqual(await of(name), ['93.184.216.34', '2606:2800::1'], name)
  }
  assert.deepEqual(await of('six.example'), ['2606:2800::2'])
  for (const name of ['none.example', 'text.example', `${'x'.repeat(64)}.example`]) {
    await assert.rejects(of(name), { code: 'ENOTFOUND' }, name)
  }
  // Nothing listens there.
  const gone = { signal, nameServers: ['127.0.0.1:1'] }
  await assert.rejects(addressesOf('both.example', gone), { code: 'EAI_AGAIN' })
})

test('what is asked of a silent name server holds nobody up, and is called off', async (t) => {
  const silent = [await aSilentNameServer(t)]
  const server = await aNameServer(['address=/www.example/93.184.216.34'])
  t.after(server.close)
  const stop = new AbortController()
  const dead = Array.from({ length: 50 }, (_, nth) =>
    addressesOf(`dead-${nth}.example`, { signal: stop.signal, nameServers: silent }),
  )
  const all = Promise.allSettled(dead)
  const asking = { signal, nameServers: [server.address] }
  const first = await Promise.race([addressesOf('www.example', asking), ...dead])
  assert.deepEqual(first, [{ address: '93.184.216.34', family: 4 }])

  stop.abort(new Error('called off'))
  for (const it of await all) {
    assert.equal(it.status === 'rejected' && it.reason.message, 'called off')
  }
  await assert.rejects(
    addressesOf('late.example', { signal: stop.signal, nameServers: silent }),
    /called off/,
  )
})
