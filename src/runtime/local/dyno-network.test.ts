/** Who reaches a dyno, whom it reaches, and that this is put right when others change it. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { until } from '../../../test/until.ts'
import type { Log } from '../../lib/log.ts'
import { runProgram } from '../../lib/run-program.ts'
import { keepUp } from './keep-up.ts'
import { LocalRuntime } from './local-runtime.ts'
import { machineNames } from './machine-names.ts'
import { networkChanges } from './network-changes.ts'
import { localRegion } from './region.ts'

const { signal } = new AbortController()
const { options, runtime, files, started, outputOf, statusOf } = await aLocalRuntime()

test('the router reaches a dyno; a dyno reaches neither host nor neighbour', async () => {
  const web = await started('exec python3 -m http.server 5000', { port: 5000 })
  await until('it listens', async () => {
    const status = await statusOf(web.id)
    return status?.is === 'running' && status.listening
  })
  assert.equal(await statusCode(`http://${web.address}:5000/`), 200)
  const askedAs = (user: string, seconds: number) => {
    const url = `http://${web.address}:5000/`
    const its = ['--silent', '--output', '/dev/null', '--max-time', String(seconds)]
    const curl = ['curl', ...its, url]
    return runProgram(['setpriv', '--reuid', user, '--clear-groups', ...curl])
  }
  await askedAs('haproxy', 20)
  await assert.rejects(askedAs('nobody', 1))

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
  const rules = () => runProgram(['nft', ...list])
  const wanted = await rules()

  await runProgram(['nft', 'flush', 'table', 'inet', firewallTable])
  await runProgram(['ip', 'link', 'del', bridge])
  const reached = () => statusCode(`http://${web.address}:5000/`).catch(() => undefined)
  await until(
    'the rules are set again, and it is reached',
    async () => (await rules()) === wanted && (await reached()) === 200,
  )

  await runProgram(['nft', 'delete', 'table', 'inet', firewallTable])
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
  const rules = () => runProgram(['nft', ...list])
  const wanted = await rules()
  // Just after it was put up for the first time, and nowhere but here, all is let through.
  const programs = await mkdtemp(join(tmpdir(), 'mayfly-nft-'))
  const nft = (await runProgram(['sh', '-c', 'command -v nft'])).trim()
  const once = `[ "$1" = -f ] && [ "$(readlink /proc/self/ns/net)" = '${await readlink('/proc/self/ns/net')}' ] && mkdir ${programs}/done 2>/dev/null`
  await writeFile(
    join(programs, 'nft'),
    `#!/bin/sh
${nft} "$@" || exit
if ${once}; then ${nft} insert rule inet ${table} from_dynos accept && mkdir ${programs}/inserted; fi
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
  await runProgram([nft, 'flush', 'table', 'inet', table])
  void keepUp(localRegion(options), watching.signal, 50)
  await until('the program has run', () => existsSync(join(programs, 'inserted')))
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
  await runProgram(['ip', 'addr', 'flush', 'dev', bridge])

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
  const settings = await runProgram([
    'bridge',
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
    runProgram(['nsenter', '--target', init, '--net', '--', 'ip', ...args])
  const old = ['learning', 'on', 'locked', 'off', 'flood', 'on']
  await runProgram(['ip', 'link', 'set', link, 'type', 'bridge_slave', ...old])
  await inside('link', 'set', 'eth0', 'address', '02:00:00:00:00:01')
  await runProgram(['ip', 'neigh', 'flush', 'to', web.address, 'dev', names.bridge])
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

function setLink(link: string, ...settings: string[]): Promise<string> {
  return runProgram(['ip', 'link', 'set', link, ...settings])
}

function statusCode(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).once('error', reject)
  })
}
