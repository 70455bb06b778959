import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { type DataDirectory, dataDirectory, type Installation } from './data-directory.ts'
import {
  decideInstallation,
  keepInstallation,
  type Wishes,
} from './decide-installation.ts'
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

/** As `up` does that runs well. */
async function decided(
  data: DataDirectory,
  wishes: Wishes,
  beyond?: readonly string[],
): Promise<Installation> {
  const installation = await decideInstallation(data, wishes, beyond)
  keepInstallation(data, installation)
  return installation
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
  const first = await decided(data, wishes)
  assert.match(first.id, /^[0-9a-f]{6}$/)
  assert.deepEqual(
    first.regions.map((it) => `${it.name} ${it.httpPort} ${it.httpsPort}`),
    ['us 7100 7200', 'eu 7101 7201', 'ap 7102 7202'],
  )
  assert.deepEqual(await decided(data, nothing), first)
  assert.deepEqual(await decided(data, wishes), first)
  assert.deepEqual(findInstallation(data), first)
})

test('without wishes the ports and regions are the documented ones', async () => {
  const { apiPort, domain, regions } = await decided(
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
  const { regions } = await decided(data, nothing, ['172.16.0.0/13'])
  const second = regions.map(({ subnet }) => Number(subnet.split('.')[1]))
  assert.ok(second.every((octet) => octet >= 24 && octet < 32))
})

test('later wishes that differ are refused', async () => {
  const data = dataDirectory(join(top, 'three'))
  await decided(data, nothing)
  const wish = (it: object) => decided(data, { ...nothing, ...it })
  await assert.rejects(
    wish({ apiPort: 1 }),
    /--api-port 5080, and that can't be changed to 1/,
  )
  await assert.rejects(wish({ httpPort: 2 }), /--http-port 8080/)
  await assert.rejects(wish({ regions: ['eu', 'us'] }), /--regions us,eu/)
})

test('the domain and the ports for TLS may change, and are kept then', async () => {
  const data = dataDirectory(join(top, 'moved'))
  const first = await decided(data, nothing)
  const wishes = { ...nothing, domain: 'apps.example.com', httpsPort: 443 }
  const moved = await decided(data, wishes)
  assert.equal(moved.domain, 'apps.example.com')
  assert.deepEqual(
    moved.regions.map((it) => it.httpsPort),
    [443, 444],
  )
  assert.deepEqual(await decided(data, nothing), moved)
  assert.equal(moved.id, first.id)
})

test('an installation from before there was TLS gets ports for it', async () => {
  const data = dataDirectory(join(top, 'old'))
  const { regions, ...rest } = await decided(data, nothing)
  const before = regions.map(({ name, httpPort, subnet }) => ({ name, httpPort, subnet }))
  writeFileSync(data.installation, JSON.stringify({ ...rest, regions: before }))
  const { regions: mended } = await decided(data, nothing)
  assert.deepEqual(mended, regions)
})

test('where the data are is decided once, too', async () => {
  const elsewhere = { ...nothing, databaseElsewhere: true }
  const own = dataDirectory(join(top, 'own'))
  await decided(own, nothing)
  await assert.rejects(decided(own, elsewhere), /DATABASE_URL names another/)
  const theirs = dataDirectory(join(top, 'theirs'))
  const first = await decided(theirs, elsewhere)
  await assert.rejects(decided(theirs, nothing), /give DATABASE_URL/)
  assert.deepEqual(await decided(theirs, elsewhere), first)
})

test('a directory of somebody else, or out of reach, or too deep is refused', async () => {
  const others = join(top, 'others')
  mkdirSync(others)
  writeFileSync(join(others, 'theirs'), '')
  await assert.rejects(decided(dataDirectory(others), nothing), /is not empty/)

  const locked = join(top, 'locked')
  mkdirSync(locked, { mode: 0o700 })
  const within = dataDirectory(join(locked, 'data'))
  await assert.rejects(decided(within, nothing), /can't get into .*locked/)

  const deep = dataDirectory(join(top, 'd'.repeat(64)))
  await assert.rejects(decided(deep, nothing), /is too long/)
})

test('a draft that a killed set-up left is no obstacle', async () => {
  const data = dataDirectory(join(top, 'four'))
  mkdirSync(data.root)
  writeFileSync(`${data.installation}.new`, '{"id": "12')
  assert.equal((await decided(data, nothing)).apiPort, 5080)
})

test('a wish that comes to nothing changes nothing', async () => {
  const data = dataDirectory(join(top, 'refused'))
  const wishes = { ...nothing, domain: 'apps.example.com', apiPort: 7 }
  assert.equal((await decideInstallation(data, wishes)).apiPort, 7)
  assert.equal(findInstallation(data), undefined)
  const first = await decided(data, nothing)
  const moved = await decideInstallation(data, { ...wishes, apiPort: undefined })
  assert.equal(moved.domain, 'apps.example.com')
  assert.deepEqual(findInstallation(data), first)
})

test('an authority is vouched for by a file that is there', async () => {
  const data = dataDirectory(join(top, 'vouched'))
  const trusted = join(top, 'ca.pem')
  const directory = 'https://localhost/directory'
  const wishes = { ...nothing, acme: { ...nothing.acme, directory, trusted } }
  await assert.rejects(decided(data, wishes), /--acme-trusted .*ca\.pem is not there\./)
  writeFileSync(trusted, '')
  const { acme } = await decided(data, wishes)
  assert.equal(acme?.trusted, trusted)
  // Later that is no matter of what is wished.
  rmSync(trusted)
  assert.equal((await decided(data, nothing)).acme?.trusted, trusted)
})
