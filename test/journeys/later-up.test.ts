/** What a later `up` goes by: one that was refused has changed nothing, and files of settings are for parts to read. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'

import { runningPart } from '../../src/installation/keep-part.ts'
import { endProcess, isAlive } from '../../src/installation/living-process.ts'
import { endSupervisor, supervisorOf } from '../../src/installation/supervisor-lock.ts'
import { aSmallDisk } from '../a-small-disk.ts'
import { anInstallation } from '../an-installation.ts'
import { until } from '../until.ts'

/** One that something listens at until the test ends. */
async function aTakenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const hide = (path: string) => chmodSync(path, 0o600)

describe('a later `up`', { timeout: 480_000 }, () => {
  const installation = anInstallation({ regions: ['us'] })
  const { data } = installation
  const decided = () =>
    [data.installation, data.keys.routerDefault].map((it) => readFileSync(it, 'utf8'))
  const refused = async (why: RegExp, ...args: string[]) => {
    const before = decided()
    const { status, stderr } = await installation.mayfly('up', '--detach', ...args)
    assert.equal(status, 1)
    assert.match(stderr, why)
    assert.deepEqual(decided(), before, args.join(' '))
  }

  test('changes nothing when it is refused while another runs', async () => {
    await refused(/is up already/, '--domain=apps.example.com')
  })

  test('changes nothing when a port, a domain or a file does not do', async (t) => {
    await installation.api('POST', '/apps', { name: 'held' })
    await installation.api('POST', '/apps/held/domains', { hostname: 'www.example.com' })
    await endSupervisor(data)
    await refused(/taken by another program/, `--https-port=${await aTakenPort(t)}`)
    await refused(/--domain example\.com can't be/, '--domain=example.com')
    const file = join(installation.home, 'ca.pem')
    const authority = [
      '--acme-directory=https://localhost/acme',
      `--acme-trusted=${file}`,
    ]
    await refused(/--acme-trusted .*ca\.pem is not there\./, ...authority)

    writeFileSync(file, '')
    const before = decided()
    assert.equal((await installation.up('--existing', ...authority)).status, 0)
    assert.notDeepEqual(decided(), before)
    // It costs certificates, at most.
    rmSync(file)
    await endSupervisor(data)
    const { status, stderr } = await installation.up()
    assert.equal(status, 0, stderr)
    assert.match(stderr, /--acme-trusted .*ca\.pem is not there any more: /)
  })

  test('serves by settings that root wrote for itself, and so does a part that comes back', async () => {
    const files = [data.apiSettings, data.webhookSettings, data.sizes]
    const modes = () => files.map((path) => statSync(path).mode & 0o777)
    await endSupervisor(data)
    for (const path of files) if (!existsSync(path)) writeFileSync(path, '{}')
    files.forEach(hide)
    assert.equal((await installation.up()).status, 0)
    assert.deepEqual(modes(), [0o644, 0o644, 0o644])

    files.forEach(hide)
    for (const name of ['api', 'logs']) {
      const before = runningPart(data, name)
      assert.ok(before)
      process.kill(before.pid, 'SIGKILL')
      await until(
        `${name} is back`,
        async () =>
          runningPart(data, name)?.pid !== before.pid && (await installation.isWell()),
      )
    }
  })

  test('keeps its parts on a full disk, and ends them all when it is told to', async (t) => {
    const supervisor = supervisorOf(data)
    const disk = aSmallDisk(t, 1 << 20)
    for (const at of [data.run('supervisor'), data.programLogs]) {
      const place = join(disk.mount, basename(at))
      mkdirSync(place)
      if (at !== data.programLogs) cpSync(at, place, { recursive: true })
      execFileSync('mount', ['--bind', place, at])
      t.after(() => execFileSync('umount', ['--lazy', at]))
    }
    disk.fill()
    const before = runningPart(data, 'api')
    assert.ok(before)
    await endProcess(before, { signal: 'SIGKILL', patience: 0 })
    await until('the API answers again', () =>
      fetch(`${installation.apiUrl}/regions`).then(
        () => true,
        () => false,
      ),
    )
    assert.equal(runningPart(data, 'api'), undefined)
    assert.deepEqual(supervisorOf(data), supervisor)

    disk.empty()
    await until('it is written down', () => runningPart(data, 'api') !== undefined)
    disk.fill()
    const parts = ['postgres', 'api', 'git', 'logs', 'rendezvous', 'manager-us']
    const running = parts.flatMap((it) => runningPart(data, it) ?? [])
    assert.equal(running.length, parts.length)
    await endSupervisor(data)
    assert.deepEqual(running.filter(isAlive), [])
  })
})

describe('a first `up`', () => {
  const installation = anInstallation({ isUp: false })

  test('has set nothing up where an installation should be', async () => {
    const root = join(installation.home, 'not-mounted')
    const missing = [`--data=${root}`, '--existing']
    const { status, stderr } = await installation.mayfly('up', '--detach', ...missing)
    assert.equal(status, 1)
    assert.match(stderr, /There is no installation in .*: is its disk mounted\?/)
    assert.ok(!existsSync(root))
  })

  test('has set nothing up for a port', async (t) => {
    const root = join(installation.home, 'other')
    const at = [`--data=${root}`, `--api-port=${await aTakenPort(t)}`]
    const { status, stderr } = await installation.mayfly('up', '--detach', ...at)
    assert.equal(status, 1)
    assert.match(stderr, /taken by another program/)
    assert.ok(!existsSync(root))
  })
})
