import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { dataDirectory } from './data-directory.ts'
import { decideInstallation } from './decide-installation.ts'
import { findInstallation } from './open-installation.ts'

const top = mkdtempSync(join(tmpdir(), 'mayfly-decide-'))
chmodSync(top, 0o711)
after(() => rmSync(top, { recursive: true }))

const nothing = {
  apiPort: undefined,
  httpPort: undefined,
  httpsPort: undefined,
  domain: undefined,
  acme: { directory: undefined, email: undefined, trusted: undefined },
  regions: undefined,
  databaseElsewhere: false,
}

test('what is decided once stays, and is the same the second time', async () => {
  const data = dataDirectory(join(top, 'one'))
  const wishes = {
    apiPort: 7001,
    httpPort: 7100,
    httpsPort: 7200,
    domain: 'apps.example.com',
    acme: nothing.acme,
    regions: ['us', 'eu', 'ap'],
    databaseElsewhere: false,
  }
  const first = await decideInstallation(data, wishes)
  assert.match(first.id, /^[0-9a-f]{6}$/)
  assert.deepEqual(
    first.regions.map((it) => `${it.name} ${it.httpPort} ${it.httpsPort}`),
    ['us 7100 7200', 'eu 7101 7201', 'ap 7102 7202'],
  )
  assert.deepEqual(await decideInstallation(data, nothing), first)
  assert.deepEqual(await decideInstallation(data, wishes), first)
  assert.deepEqual(findInstallation(data), first)
})

test('without wishes the ports and regions are the documented ones', async () => {
  const { apiPort, domain, regions } = await decideInstallation(
    dataDirectory(join(top, 'two')),
    nothing,
  )
  assert.equal(apiPort, 5080)
  assert.equal(domain, 'localhost')
  assert.deepEqual(
    regions.map((it) => `${it.name} ${it.httpPort} ${it.httpsPort}`),
    ['us 8080 8443', 'eu 8081 8444'],
  )
})

test("no region's network lies over what its dynos are to reach", async () => {
  const data = dataDirectory(join(top, 'beyond'))
  const { regions } = await decideInstallation(data, nothing, ['172.16.0.0/13'])
  const second = regions.map(({ subnet }) => Number(subnet.split('.')[1]))
  assert.ok(second.every((octet) => octet >= 24 && octet < 32))
})

test('later wishes that differ are refused', async () => {
  const data = dataDirectory(join(top, 'three'))
  await decideInstallation(data, nothing)
  const wish = (it: object) => decideInstallation(data, { ...nothing, ...it })
  await assert.rejects(
    wish({ apiPort: 1 }),
    /--api-port 5080, and that can't be changed to 1/,
  )
  await assert.rejects(wish({ httpPort: 2 }), /--http-port 8080/)
  await assert.rejects(wish({ regions: ['eu', 'us'] }), /--regions us,eu/)
})

test('the domain and the ports for TLS may change, and are kept then', async () => {
  const data = dataDirectory(join(top, 'moved'))
  const first = await decideInstallation(data, nothing)
  const wishes = { ...nothing, domain: 'apps.example.com', httpsPort: 443 }
  const moved = await decideInstallation(data, wishes)
  assert.equal(moved.domain, 'apps.example.com')
  assert.deepEqual(
    moved.regions.map((it) => it.httpsPort),
    [443, 444],
  )
  assert.deepEqual(await decideInstallation(data, nothing), moved)
  assert.equal(moved.id, first.id)
})

test('an installation from before there was TLS gets ports for it', async () => {
  const data = dataDirectory(join(top, 'old'))
  const { regions, ...rest } = await decideInstallation(data, nothing)
  const before = regions.map(({ name, httpPort, subnet }) => ({ name, httpPort, subnet }))
  writeFileSync(data.installation, JSON.stringify({ ...rest, regions: before }))
  const { regions: mended } = await decideInstallation(data, nothing)
  assert.deepEqual(mended, regions)
})

test('where the data are is decided once, too', async () => {
  const elsewhere = { ...nothing, databaseElsewhere: true }
  const own = dataDirectory(join(top, 'own'))
  await decideInstallation(own, nothing)
  await assert.rejects(decideInstallation(own, elsewhere), /DATABASE_URL names another/)
  const theirs = dataDirectory(join(top, 'theirs'))
  const first = await decideInstallation(theirs, elsewhere)
  await assert.rejects(decideInstallation(theirs, nothing), /give DATABASE_URL/)
  assert.deepEqual(await decideInstallation(theirs, elsewhere), first)
})

test('a directory of somebody else, or out of reach, or too deep is refused', async () => {
  const others = join(top, 'others')
  mkdirSync(others)
  writeFileSync(join(others, 'theirs'), '')
  await assert.rejects(decideInstallation(dataDirectory(others), nothing), /is not empty/)

  const locked = join(top, 'locked')
  mkdirSync(locked, { mode: 0o700 })
  const within = dataDirectory(join(locked, 'data'))
  await assert.rejects(decideInstallation(within, nothing), /can't get into .*locked/)

  const deep = dataDirectory(join(top, 'd'.repeat(64)))
  await assert.rejects(decideInstallation(deep, nothing), /is too long/)
})

test('a draft that a killed set-up left is no obstacle', async () => {
  const data = dataDirectory(join(top, 'four'))
  mkdirSync(data.root)
  writeFileSync(`${data.installation}.new`, '{"id": "12')
  assert.equal((await decideInstallation(data, nothing)).apiPort, 5080)
})
