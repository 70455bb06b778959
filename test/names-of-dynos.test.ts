/** Dynos ask their region's resolver for names, and it asks the machine's name servers: real ones, all of them. */

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

import { type Allowances, NOTHING_ALLOWED } from '../src/model/allowances.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { aLocalMachine } from './a-local-machine.ts'
import { aNameServer, aResolver } from './a-resolver.ts'
import { dynosBegun } from './dynos-begun.ts'
import { until } from './until.ts'

const [PUBLIC, OTHER] = ['93.184.216.34', '93.184.216.99']
/** Far above what a dyno may ask at once. */
const FLOOD = 6000
const FEW = 4
const { signal } = new AbortController()

const machine = await aLocalMachine()
const resolvConf = join(machine.options.root, 'etc', 'resolv.conf')
let allowances: Allowances = NOTHING_ALLOWED
const options = { ...machine.options, resolvConf, allowances: () => allowances }
const runtime = new LocalRuntime(options)
const gateway = machine.address(-1)
/** Answers nothing. */
const silent = createSocket('udp4').bind({ address: '127.0.0.1' })
await once(silent, 'listening')
const first = await aNameServer([
  `address=/www.example/${PUBLIC}`,
  'address=/db.corp.example/10.1.2.3',
  'address=/metadata.example/169.254.169.254',
  'address=/carrier.example/100.64.0.1',
  'address=/local.example/127.0.0.1',
  `address=/www.internal/${PUBLIC}`,
  `address=/${hostname()}/${PUBLIC}`,
  `server=/slow.example/127.0.0.1#${silent.address().port}`,
  'dns-forward-max=100000',
])
const second = await aNameServer([`address=/www.example/${OTHER}`])
await mkdir(dirname(resolvConf))
await nameServerIs(first.address)
await runtime.prepare(signal)
const resolver = await aResolver(options)
const { begun, outputOf } = dynosBegun(runtime, machine)

before(() => until('the resolver is ready', resolver.isReady))
after(async () => {
  await resolver.close()
  await Promise.all([first.close(), second.close(), machine.close()])
  silent.close()
})

test('a dyno asks the gateway and knows no other, and the machine`s own name server answers', async () => {
  const said = await saidBy('cat /etc/resolv.conf; getent ahostsv4 www.example')
  assert.deepEqual(said.match(/^nameserver.*$|^search.*$|^domain.*$/gm), [
    `nameserver ${gateway}`,
  ])
  assert.match(said, new RegExp(`^${PUBLIC} +STREAM`, 'm'))
  assert.match(first.asked(), /query\[A\] www\.example from 127\.0\.0\.1/)
})

test('what leads into private networks is told to nobody, nor are the machine`s names', async () => {
  const names = ['db.corp.example', 'metadata.example', 'carrier.example']
  const own = [hostname(), 'local.example', 'www.internal', '10.1.2.3', '172.16.0.1']
  for (const name of [...names, ...own]) {
    assert.equal(await saidBy(`getent hosts ${name} || echo none`), 'none\n', name)
  }
  // It was asked for those that look like any other; the rest is nobody's business.
  assert.match(first.asked(), / db\.corp\.example /)
  assert.doesNotMatch(first.asked(), / www\.internal |in-addr\.arpa/)
  assert.ok(!first.asked().includes(`] ${hostname()} `))
})

test('what the operator allows is told within seconds, and not any more when that ends', async () => {
  const asks = 'getent ahostsv4 db.corp.example || echo none'
  await allowing({ ...NOTHING_ALLOWED, networks: ['10.1.0.0/16'] })
  assert.match(await saidBy(asks), /^10\.1\.2\.3 /)
  assert.match(await saidBy('getent hosts www.internal'), new RegExp(`^${PUBLIC}`))
  assert.equal(await saidBy('getent hosts metadata.example || echo none'), 'none\n')
  await allowing(NOTHING_ALLOWED)
  assert.equal(await saidBy(asks), 'none\n')
})

test('a running dyno has other name servers when the machine has, and when its file is a link to another', async () => {
  const id = await begun('while getent ahostsv4 www.example; do sleep 0.1; done')
  await until('the first server`s answer is there', async () =>
    (await outputOf(id)).includes(PUBLIC),
  )
  await nameServerIs(second.address)
  await until('the second server`s answer is there', async () =>
    (await outputOf(id)).includes(OTHER),
  )

  const elsewhere = `${resolvConf}.elsewhere`
  await writeFile(elsewhere, `nameserver ${first.address}\n`)
  await symlink(elsewhere, `${resolvConf}.new`)
  await rename(`${resolvConf}.new`, resolvConf)
  // As every few seconds of its own accord.
  await runtime.prepare(signal)
  await until(
    'the first server is asked again',
    async () => lastOf(await outputOf(id)) === PUBLIC,
  )
  await runtime.remove(id, signal)
})

const ASKING = `import socket, time
talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def ask(name):
    labels = b''.join(bytes([len(it)]) + it.encode() for it in name.split('.'))
    talker.sendto(labels[1:3] + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + labels + b'\\0\\0\\1\\0\\1', ('${gateway}', 53))
`

test('a dyno that asks for ever more leaves names to others', async () => {
  const flood = `${ASKING}
for n in range(${FLOOD}):
    if n % 20 == 0: time.sleep(0.001)
    ask('%05d.slow.example' % n)
print('flooded', flush=True)
socket.create_server(('', 5000)).accept()
`
  const flooding = await begun(`python3 -c "$FLOOD"`, { FLOOD: flood })
  await until('it has asked all', async () =>
    (await outputOf(flooding)).includes('flooded'),
  )
  assert.match(await saidBy('getent ahostsv4 www.example'), new RegExp(PUBLIC))
  assert.match(first.asked(), / \d{5}\.slow\.example /)
  await runtime.remove(flooding, signal)
})

test('a few that ask as much as they may, all the time, leave names to others', async () => {
  const flood = `${ASKING}
for n in range(10 ** 9):
    if n % 10 == 0: time.sleep(0.005)
    ask('%09d.slow.example' % n)
    if n == ${FLOOD}: print('flooded', flush=True)
`
  const flooding = await Promise.all(
    Array.from({ length: FEW }, () => begun(`python3 -c "$FLOOD"`, { FLOOD: flood })),
  )
  for (const it of flooding)
    await until('it has asked all', async () => (await outputOf(it)).includes('flooded'))
  // None of it is remembered.
  const names = Array.from({ length: 10 }, (_, n) => `${n}.www.example`)
  const said = await saidBy(
    `for name in ${names.join(' ')}; do getent ahostsv4 $name | head -1 || echo none; done`,
  )
  assert.deepEqual(
    said.split('\n').map((it) => it.split(' ')[0]),
    [...names.map(() => PUBLIC), ''],
  )
  for (const it of flooding) await runtime.remove(it, signal)
})

test('a dyno`s questions are held to a pace, even on a connection that is no new one', async () => {
  const asking = `${ASKING}
# All dynos' share is full again.
time.sleep(4)
began = time.monotonic()
talker.settimeout(5)
answers = 0
while answers < ${FLOOD}:
    ask('%05d.invalid' % answers)
    try: answers += len(talker.recv(512)) > 0
    except TimeoutError: break
    last = time.monotonic()
print(answers, last - began)
`
  const said = await saidBy(`python3 -c "$ASKING"`, { ASKING: asking })
  const [answers = 0, seconds = 0] = said.trim().split(' ').map(Number)
  assert.ok(answers >= 1000 && answers <= 1000 + 200 * seconds, said)
})

test('a resolver that ends is there again', async () => {
  const born = resolver.pid()
  assert.ok(born !== undefined)
  process.kill(born, 'SIGKILL')
  await until(
    'another resolver is there',
    () => resolver.pid() !== undefined && resolver.pid() !== born,
  )
  assert.match(resolver.told(), /resolver-us \(pid \d+\) ended; starting it again/)
  await until('the resolver is ready', resolver.isReady)
  assert.match(await saidBy('getent ahostsv4 www.example'), new RegExp(PUBLIC))
})

test('one that cannot start says why, and dynos run without names', async () => {
  await resolver.close()
  const other = createServer()
  await new Promise<void>((done) => other.listen(53, gateway, done))
  const hindered = await aResolver(options)
  try {
    await until('it says that its address is in use', () =>
      /Address already in use/.test(hindered.told()),
    )
    assert.equal(await saidBy('echo it runs'), 'it runs\n')
  } finally {
    await hindered.close()
    other.close()
  }
})

async function nameServerIs(address: string): Promise<void> {
  await writeFile(resolvConf, `search corp.example\nnameserver ${address}\n`)
}

async function allowing(now: Allowances): Promise<void> {
  const born = resolver.pid()
  allowances = now
  await runtime.prepare(signal)
  await until(
    'another resolver is there',
    () => resolver.pid() !== undefined && resolver.pid() !== born,
  )
  await until('the resolver is ready', resolver.isReady)
}

/** All that a dyno with this command prints. */
async function saidBy(
  command: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const id = await begun(command, environment)
  await until(
    'it has ended',
    async () => (await runtime.status([id], signal)).get(id)?.is === 'exited',
  )
  const said = await outputOf(id)
  await runtime.remove(id, signal)
  return said
}

function lastOf(output: string): string | undefined {
  return output.trim().split('\n').at(-1)?.split(' ')[0]
}
