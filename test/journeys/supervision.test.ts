/** What outlives what: parts, supervisors, commands, and two installations side by side. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before as beforeTests, describe, test } from 'node:test'

import { asUser } from '../../src/installation/as-user.ts'
import { runningPart } from '../../src/installation/keep-part.ts'
import { isAlive, processOf } from '../../src/installation/living-process.ts'
import { namedRemains } from '../../src/installation/remains.ts'
import { PART_ROLES } from '../../src/installation/roles.ts'
import { GROUP } from '../../src/installation/users.ts'
import { removeRemains } from '../../src/installation/remove-remains.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import { runProgram } from '../../src/lib/run-program.ts'
import { anInstallation, type TestInstallation } from '../an-installation.ts'
import { ask } from '../ask.ts'
import { until, untilSeen } from '../until.ts'

/** Shorter than a suite's own deadline, so that it is said what was waited for in vain. */
const WITHIN = 2 * MINUTE

interface Status {
  readonly well: boolean
  readonly id: string
  readonly supervisor: number | null
  readonly parts: readonly {
    readonly name: string
    readonly state: string
    readonly pid: number | null
    readonly restarts: number
  }[]
}

async function statusOf(
  it: TestInstallation,
): Promise<Status & { readonly exit: number }> {
  const { stdout, status } = await it.mayfly('status', '--json')
  return { ...(JSON.parse(stdout) as Status), exit: status }
}

function pidsOf(status: Status): Record<string, number | null> {
  return Object.fromEntries(status.parts.map((it) => [it.name, it.pid]))
}

/** What it says when told something that it can't understand. */
async function refusal(it: TestInstallation, ...args: string[]): Promise<string> {
  const { status, stderr } = await it.mayfly('up', ...args)
  assert.equal(status, 2)
  assert.match(stderr, /^mayfly: .*[.]\n$/)
  return stderr
}

function psql(sockets: string, role: string): string[] {
  return ['psql', '-h', sockets, '-d', 'mayfly', '-U', role, '-Atc']
}

/** Fails where there is no such process: by a pid of 0 the signal would go to the tests and their runner. */
function send(
  signal: NodeJS.Signals,
  pid: number | null | undefined,
  { toGroup = false } = {},
): void {
  assert.ok(pid, 'there is such a process')
  process.kill(toGroup ? -pid : pid, signal)
}

async function gone(pid: number | null): Promise<void> {
  const it = processOf(pid ?? 0)
  await until(`process ${pid} is gone`, () => !(it && isAlive(it)), WITHIN)
}

const first = anInstallation()
const second = anInstallation({ regions: ['us'] })

describe('an installation', { timeout: 480_000 }, () => {
  test('is up, with every part, once `up --detach` returns', async () => {
    const status = await statusOf(first)
    assert.deepEqual(
      status.parts.map((it) => `${it.name} ${it.state}`),
      [
        'postgres',
        'api',
        'git',
        'logs',
        'rendezvous',
        'manager-us',
        'manager-eu',
        'router-us',
        'router-eu',
        'resolver-us',
        'resolver-eu',
      ].map((it) => `${it} up`),
    )
    assert.equal(status.exit, 0)
  })

  test('stands beside another without sharing id or networks', async () => {
    const [one, other] = [first, second].map(
      (it) =>
        JSON.parse(readFileSync(it.data.installation, 'utf8')) as {
          id: string
          regions: { subnet: string }[]
        },
    )
    assert.notEqual(one?.id, other?.id)
    const subnets = [one, other].flatMap((it) =>
      it?.regions.map((region) => region.subnet),
    )
    assert.equal(new Set(subnets).size, 3)
    assert.equal((await statusOf(second)).exit, 0)
  })

  test('lets each part into its database as itself and as nobody else', async () => {
    const sockets = first.data.run('postgres')
    const roles = ['mayfly', 'postgres', ...PART_ROLES.map(({ role }) => role)]
    for (const { user, role } of PART_ROLES.filter((it) => it.user !== 'root')) {
      const entered: string[] = []
      for (const as of roles) {
        const asks = [...psql(sockets, as), 'select 1']
        await runProgram(asUser(user, GROUP, asks)).then(
          () => entered.push(as),
          (error: Error) => assert.match(error.message, /Peer authentication failed/),
        )
      }
      assert.deepEqual(entered, [role])
    }
    const others = await runProgram([
      ...psql(sockets, 'postgres'),
      `select distinct usename from pg_stat_activity
        where datname = 'mayfly' and usename not like 'mayfly\\_%' and pid <> pg_backend_pid()`,
    ])
    assert.equal(others, '')
  })

  test('lets another user of the machine in by no socket but one that wakes', async () => {
    const sockets = globSync('**', { cwd: first.data.root, withFileTypes: true })
      .filter((it) => it.isSocket())
      .map((it) => join(it.parentPath, it.name))
    assert.ok(sockets.includes(first.data.recordSocket), sockets.join(' '))
    const entered = (user: string, group: string) => {
      const connects = 'IO::Socket::UNIX->new(Peer => $_) and print "$_\\n" for @ARGV'
      const perl = ['perl', '-MIO::Socket::UNIX', '-e', connects, ...sockets]
      return runProgram(asUser(user, group, perl))
    }
    const wakes = sockets.filter((it) => it.endsWith('/wake.sock'))
    const lines = async (user: string, group: string) =>
      (await entered(user, group)).trim().split('\n').toSorted()
    assert.deepEqual(await lines('nobody', 'nogroup'), wakes.toSorted())
    assert.deepEqual(
      (await lines('haproxy', 'haproxy')).filter((it) => !it.includes('successor')),
      [...wakes, first.data.recordSocket].toSorted(),
    )
  })

  test('has one supervisor at most', async () => {
    const again = await first.up()
    assert.equal(again.status, 1)
    assert.match(again.stderr, /is up already, supervised by process \d+/)
  })

  test('restarts a part that was killed, and that one only', async () => {
    const before = await statusOf(second)
    const killed = pidsOf(before)['api']
    send('SIGKILL', killed)
    await until(
      'another api runs',
      async () =>
        runningPart(second.data, 'api')?.pid !== killed && (await second.isWell()),
      WITHIN,
    )
    const after = await statusOf(second)
    assert.ok(after.well)
    assert.deepEqual(pidsOf(after), { ...pidsOf(before), api: pidsOf(after)['api'] })
    assert.equal(after.parts.find((it) => it.name === 'api')?.restarts, 1)
  })

  test('runs on when its supervisor is killed, and the next adopts it', async () => {
    const before = await statusOf(second)
    send('SIGKILL', before.supervisor)
    await gone(before.supervisor)
    const between = await statusOf(second)
    assert.equal(between.exit, 1)
    assert.equal(await second.isWell(), false)
    assert.deepEqual(pidsOf(between), pidsOf(before))

    assert.equal((await second.up()).status, 0)
    const after = await statusOf(second)
    assert.equal(after.exit, 0)
    assert.notEqual(after.supervisor, before.supervisor)
    assert.deepEqual(pidsOf(after), pidsOf(before))
  })

  test('keeps its router and resolver when `up` is told to end, and the rest comes back', async () => {
    const before = await statusOf(second)
    send('SIGTERM', before.supervisor)
    await gone(before.supervisor)
    const between = await statusOf(second)
    assert.deepEqual(
      between.parts.filter((it) => it.state !== 'down').map((it) => it.name),
      ['router-us', 'resolver-us'],
    )
    assert.equal((await second.up()).status, 0)
    const after = await statusOf(second)
    assert.equal(after.exit, 0)
    assert.equal(await second.isWell(), true)
    for (const it of ['router-us', 'resolver-us']) {
      assert.equal(pidsOf(after)[it], pidsOf(before)[it])
    }
  })

  test('refuses other ports and regions than it was set up with', async () => {
    const other = await second.mayfly('up', '--detach', '--api-port=1')
    assert.equal(other.status, 1)
    assert.match(
      other.stderr,
      /was set up with --api-port \d+, and that can't be changed to 1\./,
    )
  })

  test('is gone after `down`, and comes back', async () => {
    const before = await statusOf(second)
    assert.equal((await second.mayfly('down')).status, 0)
    for (const { pid } of before.parts) assert.equal(processOf(pid ?? 0), undefined)
    const again = await second.mayfly('down')
    assert.deepEqual(
      [again.status, again.stdout],
      [0, `Nothing of ${second.data.root} was running.\n`],
    )
    assert.equal((await second.up()).status, 0)
    assert.equal((await statusOf(second)).id, before.id)
  })

  test('serves git over TLS that its own authority vouches for, and lets it in without asking', async () => {
    const remote = `https://localhost:${first.apiPort}/no-such-app.git`
    const { stderr } = await first.git(['ls-remote', remote], first.home)
    assert.match(stderr, /not found/i)
    assert.doesNotMatch(stderr, /certificate|could not read|Authentication/i)
  })

  test('ends well when told to while PostgreSQL is waited for, and comes back', async () => {
    const { data } = second
    const { supervisor } = await statusOf(second)
    const postgres = runningPart(data, 'postgres')
    assert.ok(supervisor && postgres)
    process.kill(supervisor, 'SIGKILL')
    await gone(supervisor)

    // It is alive and does not answer, as one does not that recovers from a power cut.
    process.kill(postgres.pid, 'SIGSTOP')
    try {
      const [program = '', ...args] = second.mayflyCommand('up')
      const up = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      const exit = once(up, 'exit')
      let said = ''
      up.stderr.on('data', (it: Buffer) => (said += it.toString()))
      await until('it waits', () => said.includes('starting PostgreSQL'), WITHIN)
      up.kill('SIGTERM')
      await until('it ends all', () => said.includes('ending the control plane'), WITHIN)
      process.kill(postgres.pid, 'SIGCONT')
      assert.deepEqual(await exit, [0, null], said)
      assert.ok(!isAlive(postgres))
    } finally {
      if (isAlive(postgres)) process.kill(postgres.pid, 'SIGCONT')
    }
    const { status, stderr } = await second.up()
    assert.equal(status, 0, stderr)
  })
})

/** What the app of the second says, if it serves. */
async function answers(): Promise<string | undefined> {
  const answer = await ask(second.url('sturdy')).catch(() => undefined)
  return answer?.status === 200 ? answer.body : undefined
}

describe('an app', { timeout: 180_000 }, () => {
  beforeTests(async () => {
    const app = join(second.home, 'sturdy')
    cpSync(join(import.meta.dirname, '../../bench/tiny-app'), app, { recursive: true })
    await second.api('POST', '/apps', { name: 'sturdy' })
    const remote = `https://localhost:${second.apiPort}/sturdy.git`
    await second.git(['init', '--quiet'], app)
    await second.git(['add', '.'], app)
    await second.git(['commit', '--quiet', '--message=The first'], app)
    const pushed = await second.git(['push', remote, 'main'], app)
    assert.equal(pushed.status, 0, pushed.stderr)
    await untilSeen('the app answers', answers, WITHIN)
  })

  test('is served while parts are adopted that nobody wrote down', async () => {
    const { parts, supervisor } = await statusOf(second)
    send('SIGKILL', supervisor)
    await gone(supervisor)
    for (const { name } of parts) rmSync(second.data.processFile(name))
    assert.equal((await second.up()).status, 0)
    const after = await statusOf(second)
    assert.equal(after.exit, 0)
    assert.deepEqual(pidsOf(after), pidsOf({ ...after, parts }))
    assert.ok(await answers())
  })

  test('is served when everything comes back that was killed at once', async () => {
    await killEverything(second)
    assert.equal((await second.up()).status, 0)
    assert.equal((await statusOf(second)).exit, 0)
    await untilSeen('the app answers', answers, WITHIN)
  })

  test('is served again after a reboot', async () => {
    const { id } = await statusOf(second)
    await killEverything(second)
    const ours = (await namedRemains()).filter(({ name }) => name.includes(id))
    assert.ok(ours.some(({ kind }) => kind === 'cgroup'))
    await removeRemains(ours)
    assert.deepEqual(
      (await namedRemains()).filter(({ name }) => name.includes(id)),
      [],
    )
    assert.equal(await answers(), undefined)

    assert.equal((await second.up()).status, 0)
    await untilSeen('the app answers', answers, WITHIN)
  })
})

/** Its parts and whatever they started, but no dyno. */
async function killEverything(it: TestInstallation): Promise<void> {
  const { supervisor, parts } = await statusOf(it)
  send('SIGKILL', supervisor)
  for (const { name, pid } of parts) {
    send('SIGKILL', pid, { toGroup: !name.startsWith('manager') })
  }
  for (const { pid } of parts) await gone(pid)
}

describe('set-up', { timeout: 60_000 }, () => {
  const installation = anInstallation({ isUp: false, regions: ['us'] })

  test('refuses a directory that holds something else', async () => {
    mkdirSync(installation.data.root)
    const precious = join(installation.data.root, 'precious')
    writeFileSync(precious, 'mine')
    const up = await installation.up()
    assert.match(up.stderr, /is not empty and not an installation of Mayfly's/)
    const down = await installation.mayfly('down', '--destroy')
    assert.match(down.stderr, /There is no installation in/)
    assert.equal(readFileSync(precious, 'utf8'), 'mine')
  })

  test('names a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const data = join(installation.home, 'data')
    const up = await installation.mayfly(
      'up',
      '--detach',
      `--data=${data}`,
      `--api-port=${port}`,
    )
    server.close()
    assert.equal(up.status, 1)
    assert.match(up.stderr, new RegExp(`Port ${port} is taken by another program`))
  })

  test('refuses what it does not understand, with status 2', async () => {
    assert.match(await refusal(installation, '--nix'), /Unknown option '--nix'/)
    assert.match(await refusal(installation, '--api-port=80000'), /takes a port/)
    assert.match(await refusal(installation, '--regions=us,us'), /takes names/)
    assert.match(await refusal(installation, 'here'), /Unexpected argument 'here'/)
  })
})
