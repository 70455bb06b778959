/** Several dynos of a region that ask for names as much as they can: what reaches the resolver, and what is left to others. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { aLocalMachine } from './a-local-machine.ts'
import { aNameServer, aResolver } from './a-resolver.ts'
import { dynosBegun } from './dynos-begun.ts'
import { until } from './until.ts'

const PUBLIC = '93.184.216.34'
const FLOODING = 4
/** What the firewall lets through: of a dyno whatever others ask, and of all beyond that. */
const GRANTED = { each: 8, saved: 30 }
const SHARED = { each: 300, saved: 1000 }
const { signal } = new AbortController()

const machine = await aLocalMachine()
const resolvConf = join(machine.options.root, 'etc', 'resolv.conf')
const options = { ...machine.options, resolvConf }
const runtime = new LocalRuntime(options)
const gateway = machine.address(-1)
const server = await aNameServer([`address=/www.example/${PUBLIC}`])
await mkdir(dirname(resolvConf))
await writeFile(resolvConf, `nameserver ${server.address}\n`)
await runtime.prepare(signal)
const resolver = await aResolver(options)
const { begun, outputOf } = dynosBegun(runtime, machine)

before(() => until('the resolver is ready', resolver.isReady))
after(async () => {
  await resolver.close()
  await Promise.all([server.close(), machine.close()])
})

/** Says when it began, when it ended, and how many were answered; those names the resolver answers by itself. */
const ASKING = `import socket, time
talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
talker.setblocking(False)
began = time.time()
answers = n = 0
def hear():
    global answers
    try:
        while talker.recv(512): answers += 1
    except BlockingIOError: pass
while time.time() < began + 3:
    n += 1
    name = b'\\6%06d\\7invalid\\0' % (n % 1000000)
    try: talker.sendto(b'%02d' % (n % 100) + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + name + b'\\0\\1\\0\\1', ('${gateway}', 53))
    except BlockingIOError: pass
    hear()
    if n % 5 == 0: time.sleep(0.001)
time.sleep(1)
hear()
print(began, time.time(), answers, flush=True)
socket.create_server(('', 5000)).accept()
`

test('what all dynos of a region ask together has a pace, and each has some of its own', async () => {
  const flooding = await Promise.all(
    Array.from({ length: FLOODING }, () => begun('python3 -c "$ASKING"', { ASKING })),
  )
  const said: number[][] = []
  for (const it of flooding) {
    await until('it has asked', async () => (await outputOf(it)).includes('\n'))
    said.push((await outputOf(it)).trim().split(' ').map(Number))
  }
  const [began, ended] = [
    Math.min(...said.map(([it = NaN]) => it)),
    Math.max(...said.map(([, it = NaN]) => it)),
  ]
  const answers = said.map(([, , it = NaN]) => it)
  const most = ({ each, saved }: typeof SHARED) => saved + each * (ended - began)
  const all = answers.reduce((sum, it) => sum + it)
  assert.ok(all <= most(SHARED) + FLOODING * most(GRANTED), said.join('; '))
  assert.ok(Math.min(...answers) >= GRANTED.saved, said.join('; '))
  for (const it of flooding) await runtime.remove(it, signal)
})

test('while they do others have names', async () => {
  const flood = ASKING.replace('began + 3', 'began + 1000')
  const flooding = await Promise.all(
    Array.from({ length: FLOODING }, () =>
      begun('python3 -c "$ASKING"', { ASKING: flood }),
    ),
  )
  const names = Array.from({ length: 10 }, (_, n) => `${n}.www.example`)
  const asking = await begun(
    `for name in ${names.join(' ')}; do getent ahostsv4 $name | head -1 || echo none; done`,
  )
  await until(
    'it has ended',
    async () => (await runtime.status([asking], signal)).get(asking)?.is === 'exited',
  )
  const told = (await outputOf(asking)).trim().split('\n')
  assert.deepEqual(
    told.map((it) => it.split(' ')[0]),
    names.map(() => PUBLIC),
  )
  for (const it of [...flooding, asking]) await runtime.remove(it, signal)
})

test('what the resolver takes of the machine is bounded by a cgroup of its own', () => {
  const { installation, region } = options
  const own = readFileSync(`/proc/${resolver.pid()}/cgroup`, 'utf8')
  assert.match(own, new RegExp(`/mayfly-${installation}/part\\.resolver-${region}$`, 'm'))
})
