/** Clients of dynos' processes, over crun and conmon. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { accessOf } from '../../../test/access-of.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { newId } from '../../model/ids.ts'
import { connectTo } from '../../rendezvous/connect-to.ts'
import { type DynoSpec, type Entry, RuntimeError, type Terminal } from '../runtime.ts'
import { regionFiles } from './dyno-files.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
const runtime = new LocalRuntime(options)
const files = regionFiles(options.dynos)
const PIPES = { terminal: undefined }
const TERMINAL = { terminal: { columns: 101, rows: 33 } }
let used = 0
let last: Entry | undefined

before(() => runtime.prepare(signal))
after(close)

test('a client gets what was printed before it came, and its input is the process’s', async () => {
  const dyno = await started('echo early; cat; echo done', PIPES)
  const client = await aClient(dyno)
  client.end('one\ntwo\n')
  assert.equal(await restOf(client), 'early\none\ntwo\ndone\n')
  await runtime.remove(dyno.id, signal)
})

test('a process that is over still has its last words for its client, and none for the log', async () => {
  const dyno = await started('echo out; echo err >&2; exit 3', PIPES)
  await until('it has ended', async () => (await statusOf(dyno))?.is === 'exited')
  const client = await aClient(dyno)
  const lines = (await restOf(client)).split('\n').toSorted()
  assert.deepEqual(lines, ['', 'err', 'out'])
  assert.ok(!existsSync(files.of(dyno.id).log))
  await runtime.remove(dyno.id, signal)
})

test('what a process said last is not lost on a client that is still talking', async () => {
  const dyno = await started('echo out', TERMINAL)
  await until('it has ended', async () => (await statusOf(dyno))?.is === 'exited')
  const client = await aClient(dyno)
  await once(client, 'readable')
  await new Promise((resolve) => client.write('\u0004', resolve))
  assert.equal(await restOf(client), 'out\r\n')
  await runtime.remove(dyno.id, signal)
})

test('a terminal has its size, and Ctrl-C interrupts', async () => {
  const command =
    'echo x >/dev/null; stty size; tty; read line; echo "<$line>"; sleep 1000'
  const dyno = await started(command, TERMINAL)
  const client = await aClient(dyno)
  await heard(client, '33 101\r\n/dev/pts/0\r\n')
  client.write('hello\r')
  await heard(client, 'hello\r\n<hello>\r\n')
  client.write('\u0003')
  assert.equal(await restOf(client), '^C')
  await until('it has ended by the interrupt', async () => {
    const status = await statusOf(dyno)
    return status?.is === 'exited' && status.status === 130
  })
  assert.equal(statSync('/dev/null').uid, 0)
  await runtime.remove(dyno.id, signal)
})

test('thirty million bytes come whole, however slow the client is to begin', async () => {
  const dyno = await started('head -c 30000000 /dev/zero | tr "\\0" x; echo', PIPES)
  const client = await aClient(dyno)
  let bytes = 0
  for await (const piece of client) bytes += (piece as Buffer).length
  assert.equal(bytes, 30_000_001)
  await runtime.remove(dyno.id, signal)
})

test('a process whose client does not read waits, and its end is told all the same', async () => {
  await mkdir(join(options.root, 'written'))
  const volumes = [{ from: 'written', at: '/build', writable: true }]
  const command = 'while head -c 10000 /dev/zero; do echo x >>/build/pieces; done'
  const dyno = await started(command, PIPES, { volumes })
  // More than is kept for a client; no more than that, a packet, sockets and pipes can hold.
  const pieces = () => textOf(join(options.root, 'written/pieces')).length / 2
  await until('it has written enough', () => pieces() > 115)
  await runtime.kill(dyno.id, signal)
  await until('it has ended', async () => (await statusOf(dyno))?.is === 'exited')
  assert.ok(pieces() < 200)
  await runtime.remove(dyno.id, signal)
})

test('a client that left is waited for by nobody', async () => {
  const dyno = await started('while echo x; do sleep 0.01; done', PIPES)
  const client = await aClient(dyno)
  await heard(client, 'x\n')
  client.destroy()
  await runtime.hangUp(dyno.id, signal)
  await until('it has ended', async () => (await statusOf(dyno))?.is === 'exited')
  await runtime.remove(dyno.id, signal)
})

test('a session goes on when whoever started it is killed', async () => {
  const dyno = aSpec('echo ready; cat', PIPES)
  const program = `
    import { LocalRuntime } from ${JSON.stringify(join(import.meta.dirname, 'local-runtime.ts'))}
    const [options, dyno] = JSON.parse(process.argv[1])
    const runtime = new LocalRuntime({ ...options, log: console })
    await runtime.start(dyno, new AbortController().signal)
    console.log('started')
    setInterval(() => {}, 1000)`
  const given = JSON.stringify([options, dyno])
  const args = ['--input-type=module', '--eval', program, given]
  const starter = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await heard(starter.stdout, 'started')
  starter.kill('SIGKILL')
  const client = await aClient(dyno)
  await heard(client, 'ready\n')
  client.end('still here\n')
  assert.equal(await restOf(client), 'still here\n')
  await runtime.remove(dyno.id, signal)
})

test('a client comes to what was let go, though whoever did was killed over it', async () => {
  const dyno = await started('echo once; sleep 1000', PIPES)
  const { stream, started: mark } = files.of(dyno.id)
  await rename(stream, `${stream}.new`)
  await rm(mark)
  await runtime.start(dyno, signal)
  await heardOnce(dyno, 'once\n')
  await runtime.remove(dyno.id, signal)
})

test('a process started inside a dyno is of the dyno in all ways', async () => {
  const dyno = await started('echo >/app/its; echo ready; sleep 1000', PIPES)
  await heardOnce(dyno, 'ready\n')
  const what = `id -u; hostname; ls; cat /proc/1/comm
    grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status | xargs; ulimit -n
    cat /proc/self/cgroup | grep -c '/$'; cat /proc/1/cgroup | grep -c '/$'; echo $A; cat`
  const client = await entered(dyno, what, undefined)
  client.end('given')
  const nobody = 'CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2'
  const text = await restOf(client)
  assert.match(text, new RegExp(`^1000\\n${dyno.id}\\nits\\nmayfly-init\\n`))
  assert.match(
    text,
    new RegExp(`CapEff: 0{16} ${nobody}\\n10000\\n(\\d+)\\n\\1\\nb\\ngiven$`),
  )
  await runtime.remove(dyno.id, signal)
})

test('a process started inside a dyno is in all of its namespaces', async () => {
  const dyno = await started('echo ready; sleep 1000', PIPES)
  await heardOnce(dyno, 'ready\n')
  const what = `for it in /proc/1/ns/*; do
      name=$(basename "$it"); test "$(readlink "$it")" = "$(readlink "/proc/self/ns/$name")" || echo "not in its $name"
    done; cut -s -d: -f1 /proc/net/dev | xargs; echo over`
  const client = await entered(dyno, what, undefined)
  client.end()
  assert.equal(await restOf(client), 'lo eth0\nover\n')
  await runtime.remove(dyno.id, signal)
})

test('a process inside has a terminal, whose size its client changes', async () => {
  const dyno = await started('sleep 1000', PIPES)
  const command = 'stty size; tty; read; stty size'
  const client = await entered(dyno, command, TERMINAL.terminal)
  await heard(client, '33 101\r\n/dev/pts/0\r\n')
  writeFileSync(join(entryDirectory(dyno), 'ctl'), '1 50 132\n')
  client.write('\r')
  await heard(client, '\r\n50 132\r\n')
  assert.equal(statSync('/dev/null').uid, 0)
  await runtime.remove(dyno.id, signal)
})

test('of all parts `rendezvous` alone comes to processes and their terminals', async () => {
  const dyno = await started('cat', PIPES)
  const client = await entered(dyno, 'echo in; cat', TERMINAL.terminal)
  await heard(client, 'in')
  const paths = [files.of(dyno.id).stream, join(entryDirectory(dyno), 'ctl')]
  for (const it of await accessOf(paths))
    assert.deepEqual(it, { 'mayfly-rendezvous': 'rw-' })
  client.destroy()
  await runtime.remove(dyno.id, signal)
})

test('a process inside ends with its session', async () => {
  const dyno = await started('sleep 1000', PIPES)
  for (const terminal of [undefined, TERMINAL.terminal]) {
    const client = await entered(dyno, 'echo in; sleep 1234', terminal)
    await heard(client, 'in')
    const pid = Number(textOf(join(entryDirectory(dyno), 'pid')))
    assert.ok(existsSync(`/proc/${pid}/exe`))
    client.destroy()
    await until('the session`s process is gone', () => !existsSync(`/proc/${pid}/exe`))
  }
  assert.equal((await statusOf(dyno))?.is, 'running')
  await runtime.remove(dyno.id, signal)
})

test('no more processes are inside at once than may be, and one that ended makes room', async () => {
  const dyno = await started('sleep 1000', PIPES)
  const client = await entered(dyno, 'echo in; cat', undefined)
  await heard(client, 'in')
  const strict = new LocalRuntime({ ...options, mostEntries: 1 })
  const second = { ...anEntry('true'), terminal: undefined }
  await assert.rejects(strict.enter(dyno.id, second, signal), {
    code: 'too_many_entries',
  })
  client.end()
  await restOf(client)
  await until('there is room for another session', () => enters(strict, dyno, second))
  await runtime.remove(dyno.id, signal)
})

test('a process inside ends with its dyno', async () => {
  const dyno = await started('sleep 1000', PIPES)
  const client = await entered(dyno, 'trap "" HUP TERM; echo in; sleep 1234', undefined)
  await heard(client, 'in')
  await runtime.kill(dyno.id, signal)
  assert.equal(await restOf(client), '')
  await runtime.remove(dyno.id, signal)
  const inVain = { ...anEntry('true'), terminal: undefined }
  await assert.rejects(runtime.enter(dyno.id, inVain, signal), { code: 'not_running' })
})

async function entered(
  dyno: DynoSpec,
  command: string,
  terminal: Terminal | undefined,
): Promise<Socket> {
  const entry = { ...anEntry(command), terminal }
  await runtime.enter(dyno.id, entry, signal)
  await runtime.enter(dyno.id, entry, signal)
  last = entry
  return connectTo(files.entry(dyno.id, entry.id).stream)
}

async function enters(of: LocalRuntime, dyno: DynoSpec, entry: Entry): Promise<boolean> {
  try {
    await of.enter(dyno.id, entry, signal)
    return true
  } catch (error) {
    assert.ok(
      error instanceof RuntimeError && error.code === 'too_many_entries',
      String(error),
    )
    return false
  }
}

function entryDirectory({ id }: DynoSpec): string {
  assert.ok(last)
  return files.entry(id, last.id).directory
}

function anEntry(command: string) {
  const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', A: 'b' }
  return { id: newId<'entry'>(), command, environment }
}

async function started(
  command: string,
  attachment: NonNullable<DynoSpec['attachment']>,
  changes: Partial<DynoSpec> = {},
): Promise<DynoSpec> {
  const dyno = { ...aSpec(command, attachment), ...changes }
  await runtime.start(dyno, signal)
  return dyno
}

function aSpec(
  command: string,
  attachment: NonNullable<DynoSpec['attachment']>,
): DynoSpec {
  const environment = { PATH: '/usr/bin:/bin', HOME: '/app', TERM: 'xterm' }
  return aDynoSpec({ command, attachment, environment, address: address(used++) })
}

async function statusOf({ id }: DynoSpec) {
  return (await runtime.status([id], signal)).get(id)
}

async function aClient({ id }: DynoSpec): Promise<Socket> {
  return connectTo(files.of(id).stream)
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Waits for exactly this text, in as many pieces as it comes. */
async function heard(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let got = ''
  await until(`it says ${text}`, () => {
    const piece = stream.read() as Buffer | null
    if (piece) got += piece.toString()
    return got.startsWith(text)
  })
}

/** By a client that then goes. */
async function heardOnce(dyno: DynoSpec, text: string): Promise<void> {
  const client = await aClient(dyno)
  await heard(client, text)
  client.destroy()
}

async function restOf(stream: Socket): Promise<string> {
  let text = ''
  for await (const piece of stream) text += String(piece)
  return text
}
