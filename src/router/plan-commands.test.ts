import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId } from '../model/ids.ts'
import type { LiveRouter, LiveServer } from './live-router.ts'
import { parseBusyServers, parseLiveRouter, parseOldWorkers } from './live-router.ts'
import { planCommands } from './plan-commands.ts'
import type { RoutingTable, Server } from './routing-table.ts'
import { serverId } from './server-id.ts'
import { SERVER_SETTINGS } from './server-settings.ts'

const hostsMap = '/hosts.map'
const challengesMap = '/challenges.map'

function aServer(name: string): Server {
  return { dyno: newId(), backend: 'app0', name, address: '172.16.0.2', port: 30_000 }
}

function live(...servers: LiveServer[]): LiveRouter {
  return { shape: '', servers, hosts: new Map(), challenges: new Map() }
}

function plan(
  wanted: Partial<RoutingTable>,
  running: LiveRouter,
  dead: string[] = [],
  busy: ReadonlySet<string> = new Set(),
): string[] {
  const usual = {
    hosts: new Map(),
    sticky: new Set<string>(),
    challenges: new Map(),
    leftOut: [],
    servers: [],
    pool: 256,
  }
  const table = { ...usual, ...wanted }
  return planCommands(
    { table, hostsMap, challengesMap, dead: new Set(dead), busy },
    running,
  )
}

const there = {
  backend: 'app0',
  name: 'web.1:x',
  id: 7,
  inMaintenance: false,
  unchangedFor: 9,
}

test('nothing is said where nothing differs', () => {
  const hosts = new Map([['a.localhost', 'app0/up/x']])
  const running = { ...live(there), hosts: new Map(hosts) }
  assert.deepEqual(plan({ servers: [aServer('web.1:x')], hosts }, running), [])
})

test('a server is added with an id of its own before its entry leads to it', () => {
  const hosts = new Map([['a.localhost', 'app0/up/x']])
  const commands = plan({ servers: [aServer('web.1:x')], hosts }, live())
  assert.deepEqual(commands, [
    `add server app0/web.1:x 172.16.0.2:30000 id ${serverId('web.1:x', new Set())} ${SERVER_SETTINGS}`,
    'enable health app0/web.1:x',
    'enable server app0/web.1:x',
    'add map /hosts.map a.localhost app0/up/x',
  ])
})

test('the servers of a sticky backend get their cookies when they come, or when it becomes so', () => {
  const sticky = new Set(['app0'])
  const told = 'enable dynamic-cookie backend app0'
  const servers = [aServer('web.1:x')]
  const hosts = new Map([['a.localhost', 'app0/up/x/200///sticky/']])
  const first = plan({ servers, hosts, sticky }, live())
  assert.ok(first.indexOf(told) > first.indexOf('enable server app0/web.1:x'))
  assert.ok(first.indexOf(told) < first.findIndex((it) => it.startsWith('add map')))

  const running = { ...live(there), hosts: new Map([['a.localhost', 'app0/up/x/200']]) }
  assert.deepEqual(plan({ servers, hosts, sticky }, running).slice(0, 1), [told])
  assert.deepEqual(plan({ servers, hosts, sticky }, { ...running, hosts }), [])
})

test('a server half added is enabled', () => {
  const running = live({ ...there, inMaintenance: true })
  assert.deepEqual(plan({ servers: [aServer('web.1:x')] }, running), [
    'enable health app0/web.1:x',
    'set server app0/web.1:x state ready',
  ])
})

test('a server leaves in order, or at once if its dyno is dead', () => {
  const [maint, remove] = [
    'set server app0/web.1:x state maint',
    'del server app0/web.1:x',
  ]
  assert.deepEqual(plan({}, live(there)), [maint, remove])
  assert.deepEqual(plan({}, live({ ...there, inMaintenance: true })), [remove])
  assert.deepEqual(plan({}, live(there), ['web.1:x']), [
    maint,
    'shutdown sessions server app0/web.1:x',
    remove,
  ])
})

test('a server with requests of before a reload is not deleted', () => {
  const busy = new Set(['app0/web.1:x'])
  assert.deepEqual(plan({}, live(there), [], busy), [
    'set server app0/web.1:x state maint',
  ])
})

test('no living server goes while its backend lacks one', () => {
  const servers = [aServer('web.1:y')]
  const commands = plan({ servers }, live(there))
  assert.equal(
    commands.some((it) => it.includes('web.1:x')),
    false,
  )
  assert.ok(
    plan({ servers }, live(there), ['web.1:x']).includes('del server app0/web.1:x'),
  )
  assert.ok(
    plan({ servers }, live(there, { ...there, name: 'web.1:y', id: 8 })).includes(
      'del server app0/web.1:x',
    ),
  )
})

test('where its app has another backend, a server goes once no entry leads to the former', () => {
  const servers = [{ ...aServer('web.1:x'), backend: 'wishes0' }]
  const hosts = new Map([['a.localhost', 'wishes0/up/sticky/x']])
  const before = { ...live(there), hosts: new Map([['a.localhost', 'app0/up//x']]) }
  const first = plan({ servers, hosts }, before)
  assert.match(first[0] ?? '', /^add server wishes0\/web\.1:x /)
  assert.equal(first.at(-1), 'set map /hosts.map a.localhost wishes0/up/sticky/x')

  const both = live(there, { ...there, backend: 'wishes0', id: 8 })
  assert.deepEqual(plan({ servers, hosts }, { ...both, hosts }), [
    'set server app0/web.1:x state maint',
    'del server app0/web.1:x',
  ])
})

test('entries are set, added and deleted', () => {
  const hosts = new Map([
    ['changed', 'app0/H10/x'],
    ['new', 'app1/up/y'],
  ])
  const running = {
    ...live(),
    hosts: new Map([
      ['changed', 'app0/up/x'],
      ['old', 'app2/up/z'],
    ]),
  }
  assert.deepEqual(plan({ hosts }, running), [
    'set map /hosts.map changed app0/H10/x',
    'add map /hosts.map new app1/up/y',
    'del map /hosts.map old',
  ])
})

test('what cannot be one command is no argument', () => {
  for (const text of ['a\nshutdown sessions', 'a b', 'a\r', 'a\0', 'é', '']) {
    assert.throws(() => plan({ hosts: new Map([['a', text]]) }, live()), text)
  }
  assert.deepEqual(plan({ hosts: new Map([['a', 'b;quit\\']]) }, live()), [
    String.raw`add map /hosts.map a b\;quit\\`,
  ])
})

test('ids are never used twice', () => {
  const first = serverId('web.1:x', new Set())
  assert.equal(serverId('web.1:x', new Set([first])), first + 1)
  assert.equal(serverId('web.1:x', new Set([first, first + 1])), first + 2)
})

test('what HAProxy 2.6 answers is understood', () => {
  const answer = `Name: HAProxy
Version: 2.6.12-1+deb12u4
description: a6a4bced94a3de26

1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
4 app0 335393 web.1:x 127.0.0.1 2 0 32 32 5 1 0 0 0 0 0 - 18201 - 0 0 - - 0
4 app0 619805 web.2:y 127.0.0.1 0 1 32 32 70 1 0 0 0 0 0 - 18202 - 0 0 - - 0

0x55d0 a.localhost app0/up/x
0x55d1 b.localhost app1/H10/y

0x55d2 /.well-known/acme-challenge/t t.key

`
  assert.deepEqual(parseLiveRouter(answer), {
    shape: 'a6a4bced94a3de26',
    servers: [
      {
        backend: 'app0',
        name: 'web.1:x',
        id: 335393,
        inMaintenance: false,
        unchangedFor: 5,
      },
      {
        backend: 'app0',
        name: 'web.2:y',
        id: 619805,
        inMaintenance: true,
        unchangedFor: 70,
      },
    ],
    hosts: new Map([
      ['a.localhost', 'app0/up/x'],
      ['b.localhost', 'app1/H10/y'],
    ]),
    challenges: new Map([['/.well-known/acme-challenge/t', 't.key']]),
  })
})

const MASTER = `#<PID>          <type>          <reloads>       <uptime>        <version>
4580            master          1 [failed: 0]   0d00h00m02s     2.6.12-1+deb12u4
# workers
4736            worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
4591            worker          1               0d00h00m02s     2.6.12-1+deb12u4
# programs
`

test('what the master says of its workers is understood', () => {
  assert.deepEqual(parseOldWorkers(MASTER), [4591])
  assert.deepEqual(parseOldWorkers(MASTER.replace(/# old.*\n.*\n/, '')), [])
  assert.deepEqual(
    parseBusyServers(`# bkname/svname bkid/svid addr port - purge_delay used_cur used_max
successor/worker 3/1 - 0 - 5000 0 0 0 0 0 -1 0 0 0
app0/web.1:x 5/681465 127.0.0.1 21002 - 2000 1 1 1 0 0 -1 0 0 0
app0/web.2:y 5/681466 127.0.0.1 21003 - 2000 0 1 1 0 0 -1 0 0 0
`),
    ['app0/web.1:x'],
  )
  assert.throws(() => parseBusyServers(''), /did not say which servers are busy/)
})
