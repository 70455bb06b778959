import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { DynoState } from '../model/dyno.ts'
import { type AppId, newId } from '../model/ids.ts'
import type { RoutedApp, RouterFacts, WebDyno } from '../store/routes.ts'
import { type AppState, routingTable, stateOf } from './routing-table.ts'

function anApp(but: Partial<RoutedApp> = {}): RoutedApp {
  return {
    id: 'a' as AppId,
    name: 'my-app',
    domains: [],
    maintenance: false,
    deployed: true,
    routing: null,
    httpsOnly: false,
    sticky: false,
    idle: false,
    web: 1,
    slot: 0,
    ...but,
  }
}

function aWebDyno(but: Partial<WebDyno> = {}): WebDyno {
  return {
    id: newId(),
    app: 'a' as AppId,
    ordinal: 1,
    state: 'up',
    address: '172.16.0.2',
    port: 30_000,
    routed: false,
    slot: 0,
    ...but,
  }
}

function someFacts(but: Partial<RouterFacts> = {}): RouterFacts {
  const region = {
    name: 'us',
    domain: 'localhost',
    httpPort: 8080,
    httpsPort: null,
    slots: 0,
  }
  const nothing = { apps: [], dynos: [], certificates: [], challenges: [], elsewhere: [] }
  return { region, ...nothing, ...but }
}

const states: [Partial<RoutedApp>, DynoState[], AppState][] = [
  [{}, ['up'], 'up'],
  [{}, ['up', 'crashed', 'starting'], 'up'],
  [{}, ['starting'], 'starting'],
  [{}, [], 'starting'],
  [{}, ['stopping'], 'starting'],
  [{}, ['idle'], 'starting'],
  [{}, ['idle', 'crashed'], 'starting'],
  [{ idle: true }, ['idle', 'idle'], 'idle'],
  [{ idle: true }, ['stopping', 'crashed'], 'idle'],
  [{ idle: true }, ['up', 'idle'], 'up'],
  [{ idle: true, maintenance: true }, ['idle'], 'H80'],
  [{ idle: true, web: 0 }, ['idle'], 'H14'],
  [{}, ['crashed', 'starting'], 'starting'],
  [{}, ['crashed'], 'H10'],
  [{}, ['crashed', 'stopping'], 'H10'],
  [{ web: 0 }, ['up'], 'H14'],
  [{ deployed: false }, [], 'H81'],
  [{ maintenance: true }, ['up'], 'H80'],
]

for (const [but, dynos, expected] of states) {
  const app = `${JSON.stringify(but)} with dynos [${dynos.join(', ')}]`
  test(`an app ${app} is ${expected}`, () => {
    const dynosOf = dynos.map((state) => aWebDyno({ state }))
    assert.equal(stateOf(anApp(but), dynosOf), expected)
  })
}

test('only dynos that are up are servers, those of destroyed apps too', () => {
  const up = aWebDyno({ ordinal: 2, slot: 7 })
  const others = (['starting', 'stopping', 'crashed', 'down'] as const).map((state) =>
    aWebDyno({ state }),
  )
  const { servers } = routingTable(someFacts({ dynos: [up, ...others] }))
  assert.deepEqual(servers, [
    {
      dyno: up.id,
      backend: 'app7',
      name: `web.2:${up.id}`,
      address: '172.16.0.2',
      port: 30_000,
    },
  ])
})

test('a host leads to its app, here or in another region', () => {
  const { hosts } = routingTable(
    someFacts({
      apps: [anApp({ slot: 3, domains: ['www.example.com', '*.example.com'] })],
      elsewhere: [
        {
          id: 'b' as AppId,
          name: 'far',
          domains: ['far.example.com'],
          address: 'far.localhost:8081',
          tlsAddress: 'far.localhost:8444',
        },
      ],
      dynos: [aWebDyno()],
    }),
  )
  assert.deepEqual(Object.fromEntries(hosts), {
    'my-app.localhost': 'app3/up//a/200',
    'www.example.com': 'app3/up//a/200',
    '*.example.com': 'app3/up//a/200',
    'far.example.com': 'no_server/H31//b/far.localhost:8081/far.localhost:8444',
    'far.localhost': 'no_server/H31//b/far.localhost:8081/far.localhost:8444',
  })
})

test('what an app wants otherwise ends its entry, and its pages have keys that no host has', () => {
  const wishes = [
    [{}, 'app0/up//a/200'],
    [{ sticky: true }, 'wishes0/up/sticky/a/200//'],
    [{ routing: { responseTimeout: 60_000 } }, 'patient0/up/routing/a/200/60000/'],
    [
      { sticky: true, routing: { idleTimeout: 1000 } },
      'wishes0/up/sticky+routing/a/200//1000',
    ],
    [{ routing: { errorPage: '//a/?b&c' } }, 'wishes0/up/routing/a/200//'],
    [{ maintenance: true, sticky: true }, 'no_server/H80//a'],
  ] as const
  for (const [wish, entry] of wishes) {
    const facts = someFacts({ apps: [anApp(wish)], dynos: [aWebDyno()] })
    const { hosts, servers } = routingTable(facts)
    assert.equal(hosts.get('my-app.localhost'), entry)
    if (entry.startsWith('no_server/')) continue
    assert.equal(servers[0]?.backend, entry.slice(0, entry.indexOf('/')))
  }
  const routing = { errorPage: `//a/?b&c'd`, maintenancePage: 'https://b/' }
  const { hosts, sticky } = routingTable(
    someFacts({ apps: [anApp({ routing, sticky: true })] }),
  )
  assert.equal(hosts.get('error:a'), '//a/?b&amp;c&#39;d')
  assert.equal(hosts.get('maintenance:a'), 'https://b/')
  assert.deepEqual([...sticky], ['wishes0'])
})

test('what HAProxy cannot be told of is left out, and nothing else', () => {
  const { hosts, challenges, leftOut } = routingTable(
    someFacts({
      apps: [
        anApp({
          routing: {
            errorPage: `//a/?${'&'.repeat(2400)}`,
            maintenancePage: `//a/?${'%E2%82%AC'.repeat(300)}`,
          },
        }),
      ],
      challenges: ['a_-9', 'a b', 'a\nshutdown sessions', ''].map((token) => ({
        token,
        keyAuthorization: `${token}.key`,
      })),
    }),
  )
  assert.deepEqual([...hosts.keys()], ['my-app.localhost', 'maintenance:a'])
  assert.deepEqual([...challenges.keys()].length, 2)
  assert.deepEqual(leftOut, [
    'error:a',
    ...['a b', 'a\nshutdown sessions'].map((it) => `/.well-known/acme-challenge/${it}`),
  ])
})

test('the pool of backends doubles when it is used up, and never shrinks', () => {
  const wanted = [
    [0, 256],
    [256, 256],
    [257, 512],
    [512, 512],
    [513, 1024],
  ]
  const { region } = someFacts()
  for (const [slots = 0, pool] of wanted) {
    const had = someFacts({ region: { ...region, slots } })
    assert.equal(routingTable(had).pool, pool, `${slots} slots`)
    for (const sticky of [false, true]) {
      const app = anApp({ slot: slots - 1, sticky })
      assert.equal(routingTable({ ...had, apps: [app] }).pool, pool)
      if (slots > 0) assert.equal(routingTable(someFacts({ apps: [app] })).pool, pool)
    }
  }
})
