/**
 * The real thing: crun, conmon, bridges and firewall, in an installation of the test's own.
 * It needs root and the stack, which is built once for all tests.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  readlink,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { randomBytes } from 'node:crypto'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { accessOf } from '../../../test/access-of.ts'
import { aLocalMachine, loopDevices } from '../../../test/a-local-machine.ts'
import { itIsARuntime } from '../../../test/runtime-contract.ts'
import { until } from '../../../test/until.ts'
import { MiB } from '../../lib/bytes.ts'
import { presentCgroups } from '../../lib/cgroup-mounts.ts'
import type { Log } from '../../lib/log.ts'
import { treeChecksum } from '../../lib/tree-checksum.ts'
import type { DynoId } from '../../model/ids.ts'
import type { Copy, DynoSpec, DynoStatus } from '../runtime.ts'
import { SLUG_UID } from './address.ts'
import { DISK_SIZE } from './disk.ts'
import { regionFiles } from './dyno-files.ts'
import { keepUp } from './keep-up.ts'
import { mendLogs } from './log-files.ts'
import { LocalRuntime } from './local-runtime.ts'
import { machineNames } from './machine-names.ts'
import { networkChanges } from './network-changes.ts'
import { localRegion } from './region.ts'
import { runProgram } from './run-program.ts'

const { signal } = new AbortController()

itIsARuntime('local', async () => {
  const { options, address, close } = await aLocalMachine()
  return {
    runtime: new LocalRuntime(options),
    again: () => new LocalRuntime(options),
    address,
    close,
  }
})

const machine = await aLocalMachine()
const { options } = machine
const runtime = new LocalRuntime(options)
const files = regionFiles(options.dynos)
let used = 0

before(() => runtime.prepare(signal))
after(() => machine.close())

test('a dyno is nobody on the machine and may nothing', async () => {
  const text =
    await outputOf(`id -u; hostname; grep -E '^Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status
    ulimit -n; unshare -U true 2>/dev/null || echo no namespaces; touch /x 2>/dev/null || echo read-only
    touch /app/x /tmp/x /var/tmp/x && echo writable; cat /proc/1/comm; ls /sys | wc -l`)
  assert.match(text, /^1000\n[0-9a-f-]{36}\n/)
  assert.match(text, /CapEff:\s0{16}\nCapBnd:\s0{16}\nNoNewPrivs:\s1\n10000\n/)
  assert.match(text, /no namespaces\nread-only\nwritable\nmayfly-init\n0\n/)
})

test("what a dyno does to its standard input is not done to the host's /dev/null", async () => {
  await outputOf('chmod 000 /dev/null; true')
  const { uid, mode } = statSync('/dev/null')
  assert.deepEqual([uid, mode & 0o777], [0, 0o666])
})

test('a dyno reads of itself what it was given to read, and no other has it', async () => {
  const command =
    'cat /etc/heroku/dyno; touch /etc/heroku/dyno 2>/dev/null || echo refused'
  assert.match(
    await outputOf(command, { metadata: '{"its":"own"}\n' }),
    /^\{"its":"own"\}\nrefused\n$/,
  )
  assert.match(await outputOf(command, {}), /^refused\n$/)
})

test('the environment is what it was told, and .profile.d adds to it', async () => {
  const slug = await aSlug({ '.profile.d/a.sh': 'export B=$A$A', hello: 'from the slug' })
  const command = 'cat hello; echo; env | grep -vE "^(_|SHLVL|PWD)=" | sort'
  const environment = { A: 'a b', HOME: '/tmp', PATH: '/bin' }
  const text = await outputOf(command, { slug, environment })
  assert.equal(text, 'from the slug\nA=a b\nB=a ba b\nHOME=/tmp\nPATH=/bin\n')
})

test('a dyno changes its own /app, never the slug', async () => {
  const slug = await aSlug({ hello: 'from the slug' })
  const command =
    'echo changed >hello; touch new; cat hello; ls /slug 2>/dev/null | wc -l'
  assert.equal(await outputOf(command, { slug }), 'changed\n0\n')
  const app = join(options.slugs, slug, 'app')
  assert.deepEqual(readdirSync(app), ['hello'])
  assert.equal(await readFile(join(app, 'hello'), 'utf8'), 'from the slug')
})

test('what a dyno writes at /app and /tmp ends at a limit, bytes and files alike', async () => {
  const size = { ...aSpec('').size, hardMemory: 64 * MiB }
  const command = `df -B1 --output=target,size,itotal /app /tmp | tail -n +2
    fallocate -l 3G /app/a 2>/dev/null || echo full
    head -c 40M /dev/zero 2>/dev/null >/tmp/a || echo full`
  const text = await outputOf(command, { size })
  const [app = [], tmp = []] = text.split('\n').map((line) => line.split(/ +/))
  assert.equal(app[0], '/app')
  assert.ok(Number(app[1]) > 0.95 * DISK_SIZE && Number(app[1]) <= DISK_SIZE)
  assert.ok(Number(app[2]) > 0)
  assert.deepEqual(tmp.slice(0, 2), ['/tmp', String(32 * MiB)])
  assert.match(text, /full\nfull\n$/)
})

test('a disk is given back when its dyno ends, whether or not anyone is there to see', async () => {
  const dyno = await started('echo x >/app/x; sleep 1000')
  assert.ok((await loopDevices()).includes(dyno.id))
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(dyno.id))
  for (const file of ['pid', 'monitorPid'] as const) {
    process.kill(Number(await readFile(files.of(dyno.id)[file], 'utf8')), 'SIGKILL')
  }
  await until('its disk is gone', async () => !(await loopDevices()).includes(dyno.id))
  await runtime.remove(dyno.id, signal)
})

test('where no disk can be mounted, a dyno writes beside it', async () => {
  const aside = `${files.diskTemplate}.aside`
  await rename(files.diskTemplate, aside)
  assert.equal(await outputOf('echo here >/app/x; cat /app/x'), 'here\n')
  await rename(aside, files.diskTemplate)
})

test('a missing slug has its own code', async () => {
  const start = runtime.start(aSpec('true', { slug: 'none' }), signal)
  await assert.rejects(start, { name: 'RuntimeError', code: 'slug_missing' })
})

test('a dyno whose slug is being verified starts once that is done', async () => {
  const slug = await aSlug({ text: 'as built\n' })
  const slugChecksum = await treeChecksum(join(options.slugs, slug, 'app'))
  const dyno = aSpec('cat text', { slug, slugChecksum })
  const [heard, stop] = [new Set<DynoId>(), new AbortController()]
  runtime.watch((id) => heard.add(id), stop.signal)
  const early = runtime.start(dyno, signal)
  await assert.rejects(early, { name: 'RuntimeError', code: 'slug_unverified' })
  assert.equal(await statusOf(dyno.id), undefined)
  await until('the watcher is told', async () => heard.has(dyno.id))
  stop.abort()
  await runtime.start(dyno, signal)
  await until('it has ended', async () => (await ended(dyno.id))?.is === 'exited')
  assert.equal((await runtime.output(dyno.id, 0, signal)).text, 'as built\n')
  await runtime.remove(dyno.id, signal)
})

test('a start that fails says so, and is gone on with by the next', async () => {
  await mkdir(join(options.root, 'in-vain'))
  const volumes = [{ from: 'in-vain', at: '/nowhere/to/be/found', writable: false }]
  const dyno = aSpec('echo at last', { volumes })
  await assert.rejects(runtime.start(dyno, signal), {
    name: 'RuntimeError',
    code: 'failed',
  })
  assert.deepEqual(await statusOf(dyno.id), { is: 'created' })

  await runtime.start({ ...dyno, volumes: [] }, signal)
  await until('it has ended', async () => (await ended(dyno.id))?.is === 'exited')
  assert.equal((await runtime.output(dyno.id, 0, signal)).text, 'at last\n')
  await runtime.remove(dyno.id, signal)
})

const most = { bytes: Infinity, files: Infinity }

const copyOut = (to: string, upTo: Copy['most']) =>
  until('it is copied out', () =>
    runtime.copyOut({ from: 'limited', to, most: upTo }, signal),
  )

test('a volume with a limit ends there, is kept from dyno to dyno, and can be copied out', async () => {
  const limit = 64 * MiB
  const volumes = [{ from: 'limited', at: '/cache', writable: true, limit }]
  await mkdir(join(options.root, 'limited'))
  const first = `echo kept >/cache/file; ln -s /etc/passwd /cache/link
    fallocate -l 80M /cache/large 2>/dev/null || echo full; rm -f /cache/large`
  assert.equal(await outputOf(first, { volumes }), 'full\n')
  assert.equal(
    await outputOf('ls /cache; cat /cache/file', { volumes }),
    'file\nlink\nkept\n',
  )

  // The directory is one, too.
  await assert.rejects(copyOut('copy', { bytes: Infinity, files: 2 }), {
    code: 'too_many_files',
  })
  await mkdir(join(options.root, 'small'))
  const disk = ['-t', 'tmpfs', '-o', 'size=2g,nr_inodes=1000', 'tmpfs', 'small']
  execFileSync('mount', disk, { cwd: options.root })
  try {
    await assert.rejects(copyOut('small/copy', most), { code: 'no_disk_room' })
  } finally {
    execFileSync('umount', ['small'], { cwd: options.root })
  }

  await copyOut('copy', most)
  const copy = join(options.root, 'copy')
  assert.equal(await readFile(join(copy, 'file'), 'utf8'), 'kept\n')
  assert.equal(await readlink(join(copy, 'link')), '/etc/passwd')
  assert.equal(statSync(join(copy, 'file')).uid, SLUG_UID)
  await rm(join(copy, 'file'))
  await until('it is copied out', () =>
    runtime.copyOut({ from: 'limited', to: 'copy', most }, signal),
  )
  assert.deepEqual(readdirSync(copy), ['link'])
})

test('a volume whose disk the machine let down begins anew', async () => {
  const volumes = [{ from: 'torn', at: '/cache', writable: true, limit: 64 * MiB }]
  await outputOf('echo old >/cache/file', { volumes })
  const image = await open(join(options.root, 'torn', 'disk'), 'r+')
  await image.write(Buffer.from([0, 0]), 0, 2, 1024 + 0x3a) // as a disk is while mounted
  await image.close()
  assert.equal(await outputOf('ls /cache', { volumes }), '')
})

test('dynos share the disk as they share the processors: by their size', async (t) => {
  const io = presentCgroups().hierarchies.get('blkio')
  const dyno = aSpec('sleep 1000')
  const size = { ...dyno.size, cpuShare: 2 }
  await runtime.start({ ...dyno, size }, signal)
  const { cgroup } = machineNames(options.installation, options.region)
  const at = join(io ?? '/sys/fs/cgroup', cgroup, dyno.id)
  const weight = ['blkio.bfq.weight', 'blkio.weight', 'io.bfq.weight', 'io.weight']
    .map((file) => join(at, file))
    .find((file) => existsSync(file))
  if (weight === undefined) t.diagnostic('this kernel weighs no I/O')
  else assert.match(readFileSync(weight, 'utf8'), /\b200\n/)
  await runtime.remove(dyno.id, signal)
})

test('where no disk can be mounted, a volume has no limit', async () => {
  const aside = `${files.diskTemplate}.aside`
  await rename(files.diskTemplate, aside)
  const volumes = [{ from: 'free', at: '/build', writable: true, limit: MiB }]
  const command = 'head -c 2M /dev/zero >/build/file && echo written'
  assert.equal(await outputOf(command, { volumes }), 'written\n')
  await rename(aside, files.diskTemplate)
  await until('it is copied out', () =>
    runtime.copyOut({ from: 'free', to: 'copied', most }, signal),
  )
  assert.equal(statSync(join(options.root, 'copied', 'file')).size, 2 * MiB)
})

test('volumes: one is read, the other written, by an owner of no account', async () => {
  await mkdir(join(options.root, 'in'))
  await mkdir(join(options.root, 'out'))
  await writeFile(join(options.root, 'in/text'), 'given')
  const volumes = [
    { from: 'in', at: '/source', writable: false },
    { from: 'out', at: '/build', writable: true },
  ]
  const command =
    'cat /source/text; touch /source/x 2>/dev/null || echo; cp /source/text /build/'
  assert.equal(await outputOf(command, { volumes }), 'given\n')
  const out = join(options.root, 'out/text')
  assert.equal(readFileSync(out, 'utf8'), 'given')
  assert.equal(statSync(out).uid, SLUG_UID)
})

test('memory beyond the limit ends the dyno, and the cause is told', async () => {
  const small = { ...aSpec('').size, hardMemory: 32 * 1024 ** 2 }
  const command = `exec python3 -c 'x = bytearray(100_000_000)'`
  const status = await run(command, { size: small })
  assert.deepEqual([status.status, status.outOfMemory], [137, true])
})

test('processes beyond the limit are refused', async () => {
  const few = { ...aSpec('').size, processes: 20 }
  const forks =
    'import os, time\nfor i in range(40):\n if os.fork() == 0: time.sleep(1000)'
  const { text, status } = await run(`exec python3 -c "${forks}" 2>&1`, { size: few })
  assert.equal(status, 1)
  assert.match(text, /BlockingIOError/)
})

test('open files beyond the limit are refused, and it can be raised to the hard one', async () => {
  const few = { ...aSpec('').size, openFiles: 100, hardOpenFiles: 150 }
  const opens = 'all = [open("/dev/null") for _ in range(200)]'
  const command = `ulimit -Sn; ulimit -Sn 151 2>/dev/null || ulimit -Sn 150 && ulimit -Sn
    exec python3 -c '${opens}' 2>&1`
  const { text, status } = await run(command, { size: few })
  assert.equal(status, 1)
  assert.match(text, /^100\n150\n[^]*Too many open files/)
})

test('the router reaches a dyno; a dyno reaches neither host nor neighbour', async () => {
  const web = await started('exec python3 -m http.server 5000', { port: 5000 })
  await until('it listens', async () => {
    const status = await statusOf(web.id)
    return status?.is === 'running' && status.listening
  })
  assert.equal(await statusCode(`http://${web.address}:5000/`), 200)
  const askedAs = (user: string) => {
    const url = `http://${web.address}:5000/`
    const curl = ['curl', '--silent', '--output', '/dev/null', '--max-time', '1', url]
    return runProgram('setpriv', ['--reuid', user, '--clear-groups', ...curl])
  }
  await askedAs('haproxy')
  await assert.rejects(askedAs('nobody'))

  const server = createServer((_, response) => response.end('host')).listen(0, '0.0.0.0')
  await until('the server listens', () => server.listening)
  const { port } = server.address() as { port: number }
  const addresses = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter((it) => it.family === 'IPv4' && !it.internal)
    .map((it) => `${it.address}:${port}`)
  assert.ok(addresses.length > 0)
  const forbidden = [...addresses, `${web.address}:5000`, '169.254.169.254:80']
  const tries = forbidden.map(
    (it) => `(curl -s -m 1 http://${it}/ >/dev/null && echo reached ${it}) &`,
  )
  assert.equal(await outputOf(`${tries.join('\n')}\nwait; echo tried`), 'tried\n')
  server.close()
  await runtime.remove(web.id, signal)
})

test('the hardware address that dynos remember of their gateway stays while they come and go', async () => {
  const { bridge } = machineNames(options.installation, options.region)
  const gateway = () => readFileSync(`/sys/class/net/${bridge}/address`, 'utf8').trim()
  const first = gateway()
  assert.match(first, /^02:4d:.*:01$/)
  const dynos = [await started('sleep 1000'), await started('sleep 1000')]
  assert.equal(gateway(), first)
  for (const { id } of dynos) {
    await runtime.remove(id, signal)
    assert.equal(gateway(), first)
  }
})

test('bridge and firewall that were taken away are put up again', async (t) => {
  const web = await started('exec python3 -m http.server 5000', { port: 5000 })
  await until('it listens', async () => {
    const status = await statusOf(web.id)
    return status?.is === 'running' && status.listening
  })
  const watching = new AbortController()
  t.after(() => watching.abort())
  runtime.watch(() => undefined, watching.signal)
  const { bridge, firewallTable } = machineNames(options.installation, options.region)
  const list = ['--terse', '--stateless', 'list', 'table', 'inet', firewallTable]
  const rules = () => runProgram('nft', list)
  const wanted = await rules()

  await runProgram('nft', ['flush', 'table', 'inet', firewallTable])
  await runProgram('ip', ['link', 'del', bridge])
  const reached = () => statusCode(`http://${web.address}:5000/`).catch(() => undefined)
  await until(
    'the rules are set again, and it is reached',
    async () => (await rules()) === wanted && (await reached()) === 200,
  )

  await runProgram('nft', ['delete', 'table', 'inet', firewallTable])
  await until(
    'the rules are set again',
    async () => (await rules().catch(() => '')) === wanted,
  )
  watching.abort()
  await runtime.remove(web.id, signal)
})

test('what others change while the firewall is put up is put right, too', async (t) => {
  const { firewallTable: table } = machineNames(options.installation, options.region)
  const list = ['--terse', '--stateless', 'list', 'table', 'inet', table]
  const rules = () => runProgram('nft', list)
  const wanted = await rules()
  // Just after it was put up for the first time, and nowhere but here, all is let through.
  const programs = await mkdtemp(join(tmpdir(), 'mayfly-nft-'))
  const nft = (await runProgram('sh', ['-c', 'command -v nft'])).trim()
  const once = `[ "$1" = -f ] && [ "$(readlink /proc/self/ns/net)" = '${await readlink('/proc/self/ns/net')}' ] && mkdir ${programs}/done 2>/dev/null`
  await writeFile(
    join(programs, 'nft'),
    `#!/bin/sh
${nft} "$@" || exit
if ${once}; then ${nft} insert rule inet ${table} from_dynos accept; fi
`,
    { mode: 0o755 },
  )
  const { PATH } = process.env
  process.env['PATH'] = `${programs}:${PATH}`
  const watching = new AbortController()
  t.after(async () => {
    watching.abort()
    process.env['PATH'] = PATH
    await rm(programs, { recursive: true })
  })
  await runProgram(nft, ['flush', 'table', 'inet', table])
  void keepUp(localRegion(options), watching.signal, 50)
  await until('the program has run', () => existsSync(join(programs, 'done')))
  await until('the rules are set', async () => (await rules()) === wanted)
})

test('what others set of the bridge and of dynos` ports is set again, and told', async (t) => {
  const dynos = [await started('sleep 1000'), await started('sleep 1000')] as const
  const names = machineNames(options.installation, options.region)
  const [first, second] = dynos.map(({ address }) => names.link(address))
  const { bridge } = names
  const told: string[] = []
  const log: Log = {
    info: (_, facts = {}) => told.push(Object.values(facts).join(': ')),
    error: (message) => told.push(message),
  }
  const watching = new AbortController()
  t.after(() => watching.abort())
  const port = ['isolated', 'off', 'learning', 'on', 'neigh_suppress', 'on']
  await setLink(first ?? '', 'type', 'bridge_slave', ...port)
  await setLink(second ?? '', 'nomaster')
  await setLink(bridge, 'mtu', '1280', 'address', '02:00:00:00:00:01')
  await setLink(bridge, 'type', 'bridge', 'stp_state', '1')
  await runProgram('ip', ['addr', 'flush', 'dev', bridge])

  const region = localRegion({ ...options, log })
  void keepUp(region, watching.signal, 50)
  await until('all three are told', () => told.length === 3)
  assert.deepEqual(told.toSorted(), [
    `${bridge}: mtu address addr stp_state`,
    `${first}: isolated learning neigh_suppress`,
    `${second}: master`,
  ])
  // What was set is what a look finds well: nothing is told of again.
  const networks = dynos.map(({ address }) => ({ address, link: names.link(address) }))
  await until('all is set again', async () => {
    const { ofBridge, ofPorts } = await networkChanges(region.network, networks, signal)
    return ofBridge.length + ofPorts.size === 0
  })
  const settings = await runProgram('bridge', [
    '-details',
    'link',
    'show',
    'dev',
    first ?? '',
  ])
  for (const it of ['isolated on', 'learning off', 'neigh_suppress off', 'locked on']) {
    assert.ok(settings.includes(it), settings)
  }
  watching.abort()
  assert.equal(told.length, 3)
  for (const { id } of dynos) await runtime.remove(id, signal)
})

test('the link of a dyno that an older Mayfly started is walled off, too', async () => {
  const web = await started('exec python3 -m http.server 5000', { port: 5000 })
  await until('it listens', async () => {
    const status = await statusOf(web.id)
    return status?.is === 'running' && status.listening
  })
  const names = machineNames(options.installation, options.region)
  const link = names.link(web.address)
  const init = (await readFile(files.of(web.id).pid, 'utf8')).trim()
  const reached = () => statusCode(`http://${web.address}:5000/`).catch(() => undefined)
  const inside = (...args: string[]) =>
    runProgram('nsenter', ['--target', init, '--net', '--', 'ip', ...args])
  const old = ['learning', 'on', 'locked', 'off', 'flood', 'on']
  await runProgram('ip', ['link', 'set', link, 'type', 'bridge_slave', ...old])
  await inside('link', 'set', 'eth0', 'address', '02:00:00:00:00:01')
  await runProgram('ip', ['neigh', 'flush', 'to', web.address, 'dev', names.bridge])
  assert.notEqual(await reached(), 200, 'the firewall lets it through')

  await new LocalRuntime(options).prepare(signal)
  assert.equal(await reached(), 200)
  assert.match(await inside('link', 'show', 'eth0'), /link\/ether 02:4d:/)
  await runtime.remove(web.id, signal)
})

test('a look at who listens in a dyno is cheap: its table of connections is small', async () => {
  const table = '/proc/sys/net/ipv4/tcp_ehash_entries'
  assert.equal(await outputOf(`cat ${table}`), '1024\n')
})

test('bound to loopback only, a web dyno does not listen', async () => {
  const command = 'echo bound; exec python3 -m http.server --bind 127.0.0.1 5000'
  const dyno = await started(command, { port: 5000 })
  const init = () => readFile(files.of(dyno.id).pid, 'utf8')
  await until('it listens for itself alone', async () =>
    (await readFile(`/proc/${await init()}/net/tcp`, 'utf8')).includes('0100007F:1388'),
  )
  const status = await statusOf(dyno.id)
  assert.ok(status?.is === 'running' && !status.listening)
  await runtime.remove(dyno.id, signal)
})

test('a dyno whose monitor was killed is not monitored, and when it then ends, lost', async () => {
  const dyno = await started('sleep 1000')
  const monitor = Number(await readFile(files.of(dyno.id).monitorPid, 'utf8'))
  process.kill(monitor, 'SIGKILL')
  await until(
    'its monitor is dead',
    () => !existsSync(`/proc/${monitor}`) || isZombie(monitor),
  )
  const status = await statusOf(dyno.id)
  assert.deepEqual(
    [status?.is, status?.is === 'running' && status.monitored],
    ['running', false],
  )
  await runtime.kill(dyno.id, signal)
  await until('it is lost', async () => (await ended(dyno.id))?.is === 'lost')
  assert.deepEqual(await statusOf(dyno.id), { is: 'lost' })
  // As the machine would find it that was started anew since.
  const mark = JSON.parse(await readFile(files.of(dyno.id).started, 'utf8'))
  await writeFile(files.of(dyno.id).started, JSON.stringify({ ...mark, boot: 'before' }))
  assert.deepEqual(await statusOf(dyno.id), { is: 'lost', withHost: true })
  await runtime.remove(dyno.id, signal)
})

for (const step of ['laid out', 'created', 'let go'] as const) {
  test(`killed after it was ${step}, a start is gone on with`, async () => {
    const dyno = aSpec('echo once; sleep 1000')
    await runtime.start(dyno, signal)
    await undoTo(step, dyno)
    assert.deepEqual(await statusOf(dyno.id), {
      is: 'created',
    })
    await runtime.start(dyno, signal)
    assert.equal((await statusOf(dyno.id))?.is, 'running')
    await until(
      'it has said so',
      async () => (await runtime.output(dyno.id, 0, signal)).text === 'once\n',
    )
    await runtime.remove(dyno.id, signal)
  })
}

test('an ended dyno leaves its log to those who read it', async () => {
  await mkdir(options.endedLogs, { recursive: true })
  const dyno = await started('echo last words')
  await until('it has ended', async () => (await ended(dyno.id)) !== undefined)
  await runtime.remove(dyno.id, signal)
  const log = await readFile(join(options.endedLogs, `${dyno.id}.log`), 'utf8')
  assert.match(log, /^\S+ stdout F last words\n$/)
})

test('a directory that a reader put where its log is to go keeps no dyno', async () => {
  const dyno = await started('echo last words')
  await until('it has ended', async () => (await ended(dyno.id)) !== undefined)
  await mkdir(join(options.endedLogs, `${dyno.id}.log`), { recursive: true })
  await runtime.remove(dyno.id, signal)
  assert.ok(!(await runtime.list(signal)).includes(dyno.id))
})

test('a log that is full is followed by one that its readers may read too', async () => {
  const dyno = await started(
    `yes ${'x'.repeat(1000)} | head -n 70000; echo first; sleep 1000`,
  )
  const its = files.of(dyno.id)
  const { ino: full } = statSync(its.log)
  const reader = await open(its.log)
  let size = 0
  await until('another log is begun', async () => {
    const now = statSync(its.log)
    size = (await reader.stat()).size
    return now.ino !== full && now.size > 5000
  })
  assert.ok(size <= 64 * MiB && size > 63 * MiB)
  assert.deepEqual(await accessOf([its.log]), [{ 'mayfly-logs': 'r--' }])
  await reader.close()

  assert.ok(!existsSync(its.spareLog))
  mendLogs(its, undefined)
  assert.equal(statSync(its.spareLog).mode & 0o777, 0o640)
  const { text } = await runtime.output(dyno.id, size, signal)
  // conmon reads in pieces: the full log may end in the middle of a line.
  assert.match(text, /^x{0,1000}\n(x{1000}\n){2}/)
  await runtime.remove(dyno.id, signal)
})

async function undoTo(
  step: 'laid out' | 'created' | 'let go',
  dyno: DynoSpec,
): Promise<void> {
  const its = files.of(dyno.id)
  await rm(its.started)
  if (step === 'let go') return
  const init = Number(await readFile(its.pid, 'utf8'))
  const monitor = Number(await readFile(its.monitorPid, 'utf8'))
  process.kill(monitor, 'SIGKILL')
  process.kill(init, 'SIGKILL')
  await until(
    'its processes are gone',
    () => !existsSync(`/proc/${init}/exe`) && !existsSync(`/proc/${monitor}/exe`),
  )
  if (step === 'created') return
  await rm(its.pid)
  await rm(its.monitorPid)
  await rm(join(files.stateOf('crun'), dyno.id), { recursive: true })
}

async function started(
  command: string,
  changes: Partial<DynoSpec> = {},
): Promise<DynoSpec> {
  const dyno = aSpec(command, changes)
  await runtime.start(dyno, signal)
  return dyno
}

/** Runs the command to its end and returns what it printed. */
async function outputOf(
  command: string,
  changes: Partial<DynoSpec> = {},
): Promise<string> {
  return (await run(command, changes)).text
}

async function run(command: string, changes: Partial<DynoSpec> = {}) {
  const dyno = await started(command, changes)
  let status: DynoStatus | undefined
  await until('it has ended', async () => (status = await ended(dyno.id)) !== undefined)
  const { text } = await runtime.output(dyno.id, 0, signal)
  await runtime.remove(dyno.id, signal)
  assert.ok(status?.is === 'exited')
  return { ...status, text }
}

async function ended(id: DynoId): Promise<DynoStatus | undefined> {
  const status = await statusOf(id)
  return status?.is === 'running' ? undefined : status
}

async function statusOf(id: DynoId): Promise<DynoStatus | undefined> {
  return (await runtime.status([id], signal)).get(id)
}

function aSpec(command: string, changes: Partial<DynoSpec> = {}): DynoSpec {
  return aDynoSpec({ command, address: machine.address(used++), ...changes })
}

async function aSlug(contents: Readonly<Record<string, string>>): Promise<string> {
  const slug = randomBytes(4).toString('hex')
  for (const [name, text] of Object.entries(contents)) {
    const file = join(options.slugs, slug, 'app', name)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, text)
  }
  return slug
}

function setLink(link: string, ...settings: string[]): Promise<string> {
  return runProgram('ip', ['link', 'set', link, ...settings])
}

function statusCode(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).once('error', reject)
  })
}

function isZombie(pid: number): boolean {
  return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
