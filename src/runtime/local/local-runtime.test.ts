/**
 * The real thing: crun, conmon, bridges and firewall, in an installation of the test's own. What a dyno
 * writes on, may take, reaches and logs have files of their own beside this.
 */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { aLocalRuntime } from '../../../test/a-local-runtime.ts'
import { itIsARuntime } from '../../../test/runtime-contract.ts'
import { until } from '../../../test/until.ts'
import { treeChecksum } from '../../lib/tree-checksum.ts'
import type { DynoId } from '../../model/ids.ts'
import type { DynoSpec } from '../runtime.ts'
import { LocalRuntime } from './local-runtime.ts'
import { processStatus } from './process-status.ts'

const { signal } = new AbortController()
const { options, runtime, files, started, outputOf, ended, statusOf, aSpec, aSlug } =
  await aLocalRuntime()

itIsARuntime('local', async () => {
  const machine = await aLocalMachine()
  return {
    runtime: new LocalRuntime(machine.options),
    again: () => new LocalRuntime(machine.options),
    address: machine.address,
    close: machine.close,
  }
})

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

test('a dyno whose monitor was killed is not monitored, and when it then ends, lost', async () => {
  const dyno = await started('sleep 1000')
  const monitor = Number(await readFile(files.of(dyno.id).monitorPid, 'utf8'))
  process.kill(monitor, 'SIGKILL')
  await until('its monitor is dead', () => processStatus(monitor) === undefined)
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
