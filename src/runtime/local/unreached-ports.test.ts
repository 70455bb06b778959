/** Doors that only the manager and the router may knock at, and those of Mayfly itself; and the wall of ARP. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'

import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { until } from '../../../test/until.ts'
import { runProgram } from '../../lib/run-program.ts'
import { EXEC_PORT } from '../../model/exec.ts'
import { keepUp } from './keep-up.ts'
import { machineNames } from './machine-names.ts'
import { localRegion } from './region.ts'

const { signal } = new AbortController()
const { options, runtime, started, outputOf } = await aLocalRuntime()
const [WEB, OTHER] = [5000, 6000]
/** API, routers, sessions by SSH, PostgreSQL: as an installation has them where nothing else is said. */
const OF_MAYFLY = [5080, 8080, 8443, EXEC_PORT, 5432]

test('a worker`s port, and another of a web dyno`s, are open to neither dynos nor users of the host', async () => {
  const web = await started(
    `python3 -m http.server ${OTHER} & exec python3 -m http.server ${WEB}`,
    { port: WEB },
  )
  const worker = await started(`exec python3 -m http.server ${WEB}`, { name: 'worker.1' })
  const doors = [
    { dyno: web, port: WEB },
    { dyno: web, port: OTHER },
    { dyno: worker, port: WEB },
  ].map(({ dyno, port }) => `http://${dyno.address}:${port}/`)
  for (const url of doors) {
    await until(`root reaches ${url}`, () => reachedAs('root', url))
    assert.equal(await reachedAs('nobody', url), false, url)
    assert.equal(await reachedAs('daemon', url), false, url)
  }
  const tries = doors.map(
    (url) => `curl -s -m 1 ${url} >/dev/null && echo reached ${url}`,
  )
  assert.equal(await outputOf(`${tries.join('\n')}\necho tried`), 'tried\n')
  for (const { id } of [web, worker]) await runtime.remove(id, signal)
})

test('a dyno finds no port of Mayfly`s own on any address of the host', async (t) => {
  for (const port of OF_MAYFLY) {
    // Where somebody has it, so much the better.
    const server = await listening(port)
    t.after(() => server?.close())
  }
  const gateway = await outputOf(`sed -n 's/^nameserver //p' /etc/resolv.conf`)
  const own = addresses()
  assert.ok(own.includes(gateway.trim()), gateway)
  const targets = own.flatMap((host) => OF_MAYFLY.map((port) => [host, port]))
  const scan = `python3 -c "
import socket
from concurrent.futures import ThreadPoolExecutor
def tried(target):
    try: socket.create_connection(tuple(target), timeout=2).close()
    except OSError: return
    print('reached', *target)
with ThreadPoolExecutor(64) as pool: list(pool.map(tried, ${JSON.stringify(targets).replaceAll('"', "'")}))
print('tried')
"`
  const said = (await outputOf(scan)).trim().split('\n')
  // Other tests' addresses come and go; those that are gone are not the host's.
  const still = new Set(addresses())
  const reached = said.filter((it) => still.has(it.split(' ')[1] ?? ''))
  assert.deepEqual(reached, [])
  assert.equal(said.at(-1), 'tried')
})

test('the rules for ARP are put up again, flushed or taken away', async (t) => {
  const { firewallTable: table } = machineNames(options.installation, options.region)
  const rules = () =>
    runProgram(['nft', '--terse', '--stateless', 'list', 'table', 'arp', table])
  const wanted = await rules()
  assert.match(wanted, /arp saddr ip != .* drop/)
  for (const how of ['flush', 'delete']) {
    await runProgram(['nft', how, 'table', 'arp', table])
    assert.notEqual(await rules().catch(() => ''), wanted, how)
    const watching = new AbortController()
    t.after(() => watching.abort())
    const kept = keepUp(localRegion(options), watching.signal, 50)
    await until(
      `they are set again after ${how}`,
      async () => (await rules().catch(() => '')) === wanted,
    )
    watching.abort()
    await kept
  }
})

/** The host's, but for loopback. */
function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter((it) => it.family === 'IPv4' && !it.internal)
    .map((it) => it.address)
}

async function reachedAs(user: string, url: string): Promise<boolean> {
  const curl = ['curl', '--silent', '--output', '/dev/null', '--max-time', '1', url]
  try {
    await runProgram(['setpriv', '--reuid', user, '--clear-groups', ...curl])
    return true
  } catch {
    return false
  }
}

/** Undefined: somebody else has that port. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer((it) => it.end('host')).listen(port, '0.0.0.0')
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  )
}
