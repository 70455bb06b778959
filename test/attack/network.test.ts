/** Whom a hostile dyno reaches, and in whose name it speaks. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { runProgram } from '../../src/lib/run-program.ts'
import { NOTHING_ALLOWED } from '../../src/model/allowances.ts'
import { hardwareAddressOf } from '../../src/runtime/local/address.ts'
import { LocalRuntime } from '../../src/runtime/local/local-runtime.ts'
import { machineNames } from '../../src/runtime/local/machine-names.ts'
import { aNameServer, aResolver } from '../a-resolver.ts'
import { until } from '../until.ts'
import { anAttack, anotherRegion, anOutside, ITS_PLACE, PORT } from './an-attack.ts'
import { STREAM, UDP_PORTS } from './an-internet.ts'
import { assertHeld, rowOf } from './rows.ts'

const FORGER = join(import.meta.dirname, 'forger.pl')
/** Well above what a dyno may begin at once and hold. */
const FLOWS = 20_000
const { signal } = new AbortController()

const attack = await anAttack()
const elsewhere = await anotherRegion()
const outside = await anOutside()
const { internet } = outside

test('a dyno reaches the internet, its resolvers, and nothing else', async () => {
  const [neighbour, stranger] = await Promise.all([
    attack.neighbour(0),
    elsewhere.neighbour(0),
  ])
  const { hostPort } = outside
  const gateway = attack.address(-1)
  const targets = [
    { name: 'a neighbour', host: attack.address(0), port: PORT },
    { name: 'a dyno of another region', host: elsewhere.address(0), port: PORT },
    { name: 'the host by its gateway', host: gateway, port: hostPort },
    { name: 'the host by another gateway', host: elsewhere.address(-1), port: hostPort },
    { name: 'the host by its public address', host: internet.here, port: hostPort },
    { name: 'the metadata address', host: '169.254.169.254', port: 80 },
    { name: 'the metadata address of containers', host: '169.254.170.2', port: 80 },
    { name: 'the metadata address of Azure', host: '168.63.129.16', port: 80 },
    { name: 'the metadata address of Oracle', host: '192.0.0.192', port: 80 },
    { name: 'a private network (10/8)', host: '10.0.0.1', port: 80 },
    { name: 'a private network (192.168/16)', host: '192.168.0.1', port: 80 },
    { name: 'a carrier network', host: '100.64.0.1', port: 80 },
    { name: 'somebody of a private network', host: internet.inside, port: 443 },
    { name: 'mail on the internet', host: internet.there, port: 25 },
  ].map((it) => ({ ...it, reachable: false }))
  const web = {
    name: 'https on the internet',
    host: internet.there,
    port: 443,
    reachable: true,
  }
  const knows = {
    TARGETS: JSON.stringify([...targets, web]),
    FOREIGN: JSON.stringify([attack.address(0), gateway, internet.there]),
  }
  assertHeld(await attack.rows('network', knows), 15)
  assertHeld(await attack.rowsOfRoot('network', knows), 15)
  await attack.remove(neighbour)
  await elsewhere.remove(stranger)
})

test('a dyno is told public names by its own region`s resolver, and nothing else by anybody', async () => {
  const records = ['www.example/93.184.216.34', 'db.corp.example/10.1.2.3']
  const its = [
    ...[...records, 'metadata.example/169.254.169.254'].map((it) => `address=/${it}`),
    // HTTPS, with a hint: 10.1.2.3.
    'dns-rr=hint.example,65,000100000400040a010203',
    'ptr-record=3.2.1.10.in-addr.arpa,db.corp.example',
    'ptr-record=1.0.64.100.in-addr.arpa,carrier.example',
  ]
  const server = await aNameServer(its)
  const ofTheHost = await aNameServer(its, internet.here)
  const resolvConf = join(attack.options.root, 'resolv.conf')
  await writeFile(resolvConf, `nameserver ${server.address}\n`)
  const [own, other] = [attack, elsewhere].map((it) => ({ ...it.options, resolvConf }))
  assert.ok(own && other)
  await Promise.all([own, other].map((it) => new LocalRuntime(it).prepare(signal)))
  const resolvers = await Promise.all([own, other].map((it) => aResolver(it)))
  try {
    for (const it of resolvers) await until('the resolver is ready', it.isReady)
    const rows = await attack.rows('names', { QUESTIONS: JSON.stringify(questions()) })
    assertHeld(rows, 2 * 12)
    assert.doesNotMatch(server.asked(), /version\.bind|in-addr\.arpa/)
  } finally {
    await Promise.all([...resolvers, server, ofTheHost].map((it) => it.close()))
  }
})

/** By both protocols. */
function questions() {
  const [A, PTR, TXT, HTTPS, IN, CHAOS] = [1, 12, 16, 65, 1, 3]
  const server = attack.address(-1)
  const [at, its] = [
    { server, type: A, class: IN },
    { server, class: CHAOS },
  ]
  const all = [
    { ...at, what: 'a public name', name: 'www.example', expected: 'records' },
    { ...at, what: 'a name of a private network', name: 'db.corp.example' },
    { ...at, what: 'a name of the metadata address', name: 'metadata.example' },
    { ...at, what: 'a private address in a hint', name: 'hint.example', type: HTTPS },
    { ...at, what: 'a private address`s name', name: '3.2.1.10.in-addr.arpa', type: PTR },
    { ...at, what: 'a carrier`s', name: '1.0.64.100.in-addr.arpa', type: PTR },
    { ...at, what: 'the gateway`s', name: reverse(server), type: PTR },
    { ...its, what: 'which program it is', name: 'version.bind', type: TXT },
    { ...its, what: 'which machine it is', name: 'hostname.bind', type: TXT },
    { ...its, what: 'which machine it is', name: 'id.server', type: TXT },
    {
      ...at,
      what: 'another gateway',
      name: 'www.example',
      server: elsewhere.address(-1),
      expected: 'nobody',
    },
    {
      ...at,
      what: 'the host`s own',
      name: 'www.example',
      server: internet.here,
      expected: 'nobody',
    },
  ].map((it) => ({ expected: 'none', ...it }))
  return ['udp', 'tcp'].flatMap((by) => all.map((it) => ({ ...it, by })))
}

const reverse = (address: string) =>
  `${address.split('.').toReversed().join('.')}.in-addr.arpa`

test('a dyno reaches what the operator allows, and of the host nothing more', async () => {
  const { here, there, inside } = internet
  const { hostPort } = outside
  const networks = [`${attack.address(-1)}/16`, inside]
  await attack.allow({ ...NOTHING_ALLOWED, networks, mail: true })
  const targets = [
    { name: 'somebody of a private network', host: inside, port: 443, reachable: true },
    { name: 'mail on the internet', host: there, port: 25, reachable: true },
    { name: 'the host by its gateway', host: attack.address(-1), port: hostPort },
    { name: 'the host by its public address', host: here, port: hostPort },
  ].map((it) => ({ reachable: false, ...it }))
  const knows = { TARGETS: JSON.stringify(targets), FOREIGN: JSON.stringify([there]) }
  assertHeld(await attack.rows('network', knows), targets.length)
  await attack.allow(NOTHING_ALLOWED)
})

test('what is no longer allowed ends at once, established or not', async () => {
  const { there, inside } = internet
  await attack.allow({ ...NOTHING_ALLOWED, networks: [inside], mail: true })
  const targets = [
    { name: 'mail', host: there, port: 25, by: 'echo' },
    { name: 'a private network', host: inside, port: 443, by: 'echo' },
    { name: 'a stream from there', host: inside, port: STREAM, by: 'stream' },
    { name: 'https', host: there, port: 443, by: 'echo', reachable: true },
  ].map((it) => ({ reachable: false, ...it }))
  const dyno = await attack.begin('kept-flows', { TARGETS: JSON.stringify(targets) })
  await until(
    'it has tried all',
    async () => (await attack.saidBy(dyno)).length === targets.length,
  )
  await attack.allow(NOTHING_ALLOWED)
  assertHeld(await attack.rowsOf(dyno), 2 * targets.length)
})

test('what the operator closes is closed at once, established or not', async () => {
  const { there } = internet
  const https = { name: 'https', host: there, port: 443, by: 'echo', reachable: false }
  const TARGETS = JSON.stringify([https])
  const dyno = await attack.begin('kept-flows', { TARGETS })
  await until('it has tried', async () => (await attack.saidBy(dyno)).length === 1)
  await attack.allow({ ...NOTHING_ALLOWED, closed: [there] })
  assertHeld(await attack.rowsOf(dyno), 2)
  assertHeld(await attack.rows('network', { TARGETS }), 1)
  await attack.allow(NOTHING_ALLOWED)
})

test('a dyno speaks in nobody else`s name, even if it could send what it likes', async () => {
  const [neighbour, liar] = await Promise.all([attack.neighbour(0), attack.neighbour(1)])
  const pid = String(await attack.pidOf(liar))
  const forge = (...args: readonly string[]) =>
    runProgram(['nsenter', '--target', pid, '--net', 'perl', FORGER, ...args])
  const [own, theirs] = [attack.address(1), attack.address(0)]
  const [ownMac, theirMac] = [hardwareAddressOf(own), hardwareAddressOf(theirs)]
  const bridge = machineNames(attack.options.installation, attack.options.region).bridge
  const gateway = (await readFile(`/sys/class/net/${bridge}/address`, 'utf8')).trim()
  const known = async () =>
    (await runProgram(['ip', 'neigh', 'show', theirs, 'dev', bridge])).split(' ')[2]
  const answers = () => attack.answerOf(neighbour)
  assert.equal(await answers(), 200)
  assert.equal(await known(), theirMac)

  const [honest, byAddress, byHardware] = UDP_PORTS
  await forge('udp', ownMac, gateway, theirs, internet.there, String(byAddress))
  await forge('udp', theirMac, gateway, own, internet.there, String(byHardware))
  // That the neighbour is where the liar is: to the host, in its own name and in the neighbour's.
  await forge('arp', ownMac, ownMac, theirs, attack.address(-1))
  await forge('arp', theirMac, ownMac, theirs, attack.address(-1))
  await forge('udp', ownMac, gateway, own, internet.there, String(honest))
  await until('the honest word is heard', async () => internet.heard().has(honest))
  assertHeld(
    [
      ['an address of another dyno`s', !internet.heard().has(byAddress)],
      ['a hardware address of another dyno`s', !internet.heard().has(byHardware)],
      ['ARP for another dyno`s address', (await known()) === theirMac],
      ['the neighbour is reached', (await answers()) === 200],
    ].map(([attempt, held]) => ({
      group: 'forged',
      attempt: String(attempt),
      expected: 'as without it',
      result: held === true ? 'as without it' : 'taken',
      held: held === true,
    })),
    4,
  )
  await attack.remove(neighbour, liar)
})

test('a dyno cannot fill the machine`s table of connections', async () => {
  const neighbour = await attack.neighbour(0)
  const atFirst = await tracked(attack.address(ITS_PLACE))
  const knows = { THERE: internet.there, FLOWS: String(FLOWS) }
  const rows = await attack.rows('flows', knows)
  const more = (await tracked(attack.address(ITS_PLACE))) - atFirst
  const table = rowOf(
    'the machine`s table',
    `500 to ${FLOWS / 2} more`,
    more,
    more > 500 && more < FLOWS / 2,
  )
  assertHeld([...rows, { ...table, group: 'flows' }], 2)
  assert.equal(await attack.answerOf(neighbour), 200)
  await attack.remove(neighbour)
})

test('a dyno cannot fill the machine`s table of neighbours', async () => {
  const dyno = await attack.begin('ask-for-neighbours wait')
  const first = neighbours()
  await until(
    'it has asked for all',
    async () => (await attack.saidBy(dyno)).length === 1,
  )
  const more = neighbours() - first
  const table = rowOf('the machine`s table', 'at most 50 more', more, more <= 50)
  assertHeld([...(await attack.saidBy(dyno)), { ...table, group: 'neighbours' }], 2)
  await attack.remove(dyno)
})

/** Of all network namespaces together. */
function neighbours(): number {
  const [, line = ''] = readFileSync('/proc/net/stat/arp_cache', 'utf8').split('\n')
  return Number.parseInt(line, 16)
}

/** Connections of a dyno's in the machine's table, or where the kernel lists none, of all. */
async function tracked(address: string): Promise<number> {
  const all = '/proc/net/nf_conntrack'
  if (existsSync(all))
    return readFileSync(all, 'utf8').split(` src=${address} `).length - 1
  return Number(await readFile('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'))
}
