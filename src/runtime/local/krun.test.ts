/**
 * What is true of a dyno that is a virtual machine, krun's. Each test starts as few of them as it can. Where
 * there is no krun, or it starts none, they are skipped with the reason.
 */

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { aDynoSpec, PORT } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until, untilSeen } from '../../../test/until.ts'
import { MiB } from '../../lib/bytes.ts'
import { SECOND } from '../../lib/clock.ts'
import { newId } from '../../model/ids.ts'
import type { DynoSpec, DynoStatus } from '../runtime.ts'
import { DYNO_UID, firstUidOf } from './address.ts'
import { regionFiles } from './dyno-files.ts'
import { LocalRuntime } from './local-runtime.ts'
import { whyNoMachine } from './try-machine.ts'

const skip = (await whyNoMachine()) ?? false
const { signal } = new AbortController()
const machine = await aLocalMachine()
const { options } = machine
const runtime = new LocalRuntime({ ...options, ociRuntime: () => 'krun' })
const files = regionFiles(options.dynos)
let used = 0

before(() => runtime.prepare(signal))
after(() => machine.close())

test(
  'krun: a dyno has a kernel of its own, a slug, its volumes and its limits',
  { skip },
  async () => {
    const app = join(options.slugs, 'its', 'app')
    await mkdir(app, { recursive: true })
    await writeFile(join(app, 'hello'), 'from the slug\n')
    await mkdir(join(options.root, 'volume'))
    await writeFile(join(options.root, 'volume', 'old'), 'old\n')
    const dyno = aSpec(
      `uname -r; id -u; hostname >/dev/stdout; ulimit -n 2>/dev/stderr; touch /x 2>/dev/null || echo read-only
     cat hello; echo new > hello && cat hello; stat -c %u hello; cat /cache/old
     echo mine > /cache/new; echo "\${KRUN_RLIMITS-none} $KRUN_INIT $HOSTNAME"
     echo "$QUOTES"; stat -f -c %T /tmp /var/tmp; grep NoNewPrivs /proc/self/status; exit 7`,
      {
        slug: 'its',
        volumes: [{ from: 'volume', at: '/cache', writable: true }],
        environment: {
          ...aDynoSpec({ command: '', address: '' }).environment,
          KRUN_INIT: '/bin/false',
          HOSTNAME: '0.0.0.0',
          QUOTES: `"a"\n\\`,
        },
      },
    )
    await runtime.start(dyno, signal)
    const { status, outOfMemory } = await exited(dyno)
    const user = firstUidOf(dyno.address) + DYNO_UID
    const [kernel, ...others] = (await printedBy(dyno)).split('\n')
    assert.notEqual(kernel, release())
    assert.equal(
      others.join('\n'),
      `${user}\n${dyno.id}\n10000\nread-only\nfrom the slug\nnew\n${user}\nold\nnone /bin/false 0.0.0.0\n"a"\n\\\ntmpfs\ntmpfs\nNoNewPrivs:\t1\n`,
    )
    assert.deepEqual([status, outOfMemory], [7, false])
    assert.deepEqual(await readdir(join(options.root, 'volume')), ['new', 'old'])
    assert.equal(await readFile(join(app, 'hello'), 'utf8'), 'from the slug\n')
    await runtime.remove(dyno.id, signal)
    const state = await readdir(files.stateOf('krun'))
    // Where later ones of crun keep filters that they compiled.
    assert.deepEqual(
      state.filter((it) => it !== '.cache'),
      [],
    )
  },
)

test(
  'krun: a web dyno listens and answers; SIGTERM comes to its processes, and how it ends through',
  { skip },
  async () => {
    const dyno = aSpec(
      `trap 'echo told; exit 5' TERM; cd /tmp; echo it > index.html
     python3 -m http.server "$PORT" & wait`,
      { port: PORT },
    )
    await runtime.start(dyno, signal)
    await until('it listens', async () => {
      const status = await statusOf(dyno)
      return status?.is === 'running' && status.listening
    })
    const probe = { path: '/', timeout: 20 * SECOND }
    assert.equal(await runtime.probe(dyno.id, probe, signal), 200)
    const entry = {
      id: newId<'entry'>(),
      command: 'true',
      environment: {},
      terminal: undefined,
    }
    await assert.rejects(runtime.enter(dyno.id, entry, signal), { code: 'not_enterable' })
    await runtime.terminate(dyno.id, signal)
    const { status, outOfMemory } = await exited(dyno)
    assert.deepEqual([status, outOfMemory], [5, false])
    assert.match(await printedBy(dyno), /^told$/m)
    await runtime.remove(dyno.id, signal)
  },
)

test(
  'krun: one that was let go by a manager that died over it is not started again',
  { skip },
  async () => {
    const dyno = aSpec('echo begun; exec sleep 1000')
    await runtime.start(dyno, signal)
    await printed(dyno, 'begun')
    const { pid, started } = files.of(dyno.id)
    const first = await readFile(pid, 'utf8')
    await rm(started)
    await new LocalRuntime({ ...options, ociRuntime: () => 'krun' }).start(dyno, signal)
    assert.equal((await statusOf(dyno))?.is, 'running')
    assert.equal(await readFile(pid, 'utf8'), first)
    await runtime.remove(dyno.id, signal)
  },
)

test(
  'krun: SIGHUP ends it with 129; what ends by no signal is killed',
  { skip },
  async () => {
    const ends = aSpec('echo ready; sleep 1000')
    const stays = aSpec(`trap '' TERM; echo ready; sleep 1000 & wait; wait; sleep 1000`)
    for (const it of [ends, stays]) await runtime.start(it, signal)
    for (const it of [ends, stays]) await printed(it, 'ready')
    await runtime.hangUp(ends.id, signal)
    assert.equal((await exited(ends)).status, 129)
    await runtime.terminate(stays.id, signal)
    const status = await statusOf(stays)
    assert.ok(status?.is === 'running' && status.terminated)
    await runtime.kill(stays.id, signal)
    assert.equal((await exited(stays)).status, 137)
    for (const { id } of [ends, stays]) await runtime.remove(id, signal)
  },
)

test(
  'krun: a dyno that takes more memory than it has ends, and it is known why',
  { skip },
  async () => {
    const size = aSpec('').size
    const dyno = aSpec(`perl -e 'my @a; push @a, "x" x 1_000_000 while 1'`, {
      size: { ...size, hardMemory: 320 * MiB },
    })
    await runtime.start(dyno, signal)
    const { status, outOfMemory } = await exited(dyno)
    assert.deepEqual([status, outOfMemory], [137, true])
    await runtime.remove(dyno.id, signal)
  },
)

test(
  'krun: a dyno for a client has a terminal, and nothing in a log',
  { skip },
  async () => {
    const dyno = aSpec('test -t 0 && test -t 1 && exit 8', {
      attachment: { terminal: { columns: 80, rows: 24 } },
    })
    await runtime.start(dyno, signal)
    assert.equal((await exited(dyno)).status, 8)
    assert.deepEqual(await runtime.output(dyno.id, 0, signal), { text: '', offset: 0 })
    await runtime.remove(dyno.id, signal)
  },
)

function aSpec(command: string, changes: Partial<DynoSpec> = {}): DynoSpec {
  return { ...aDynoSpec({ command, address: machine.address(used++) }), ...changes }
}

async function statusOf({ id }: DynoSpec): Promise<DynoStatus | undefined> {
  return (await runtime.status([id], signal)).get(id)
}

async function exited(dyno: DynoSpec) {
  return untilSeen('it has ended', async () => {
    const status = await statusOf(dyno)
    return status?.is === 'exited' ? status : undefined
  })
}

async function printedBy({ id }: DynoSpec): Promise<string> {
  return (await runtime.output(id, 0, signal)).text
}

async function printed(dyno: DynoSpec, text: string): Promise<void> {
  await until(`it prints ${text}`, async () => (await printedBy(dyno)).includes(text))
}
