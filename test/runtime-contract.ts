/** What every driver of the runtime must do, as tests that each of them is given to. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { SECOND } from '../src/lib/clock.ts'
import { type DynoId, newId } from '../src/model/ids.ts'
import type { DynoSpec, DynoStatus, Runtime } from '../src/runtime/runtime.ts'
import { aDynoSpec, PORT } from './a-dyno-spec.ts'
import { until, untilSeen } from './until.ts'

export interface OpenRuntime {
  readonly runtime: Runtime
  /** A second driver over the same machine, as another process would have it. */
  again(): Runtime
  /** The nth address for a dyno, n from 0. */
  address(n: number): string
  close(): Promise<void>
}

/** Commands that the contract starts dynos with; a simulated dyno ignores them. */
export const COMMANDS = {
  waits: 'echo ready; sleep 1000',
  listens: 'exec python3 -m http.server "$PORT"',
  exits: 'exit 7',
  prints: `printf 'one\\ntwo\\n'; echo three >&2; sleep 1000`,
  answers: `exec python3 -c '
from http.server import *
class H(BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(302 if self.path == "/elsewhere" else 200)
    self.send_header("location", "/")
    self.end_headers()
ThreadingHTTPServer(("", 5000), H).serve_forever()'`,
  ignoresSigterm: `trap '' TERM; echo ready; sleep 1000 & wait; wait; sleep 1000`,
} as const

/** More than any driver starts at a time. */
const AT_ONCE = 20

/**
 * What every driver must do. `simulate` is for one whose dynos do nothing by themselves:
 * it is told which command a started dyno would be running.
 */
export function itIsARuntime(
  name: string,
  open: () => Promise<OpenRuntime>,
  simulate: (runtime: Runtime, dyno: DynoSpec) => void = () => undefined,
): void {
  const { signal } = new AbortController()
  let opened: OpenRuntime | undefined
  let runtime: Runtime
  let used = 0

  before(async () => {
    opened = await open()
    runtime = opened.runtime
    await runtime.prepare(signal)
  })
  after(() => opened?.close())

  test(`${name}: preparing again changes nothing`, async () => {
    const dyno = await started(COMMANDS.waits)
    await runtime.prepare(signal)
    assert.equal((await statusOf(dyno.id))?.is, 'running')
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: a started dyno runs and is listed; another driver sees it too`, async () => {
    const dyno = await started(COMMANDS.waits)
    const status = await statusOf(dyno.id)
    assert.ok(status?.is === 'running')
    assert.equal(status.terminated, false)
    assert.ok((await runtime.list(signal)).includes(dyno.id))

    const other = opened?.again() ?? runtime
    assert.deepEqual((await other.status([dyno.id], signal)).get(dyno.id), status)
    await other.remove(dyno.id, signal)
    assert.equal(await statusOf(dyno.id), undefined)
  })

  test(`${name}: starting twice starts once`, async () => {
    const dyno = await started(COMMANDS.waits)
    const first = await statusOf(dyno.id)
    await runtime.start(dyno, signal)
    assert.deepEqual(await statusOf(dyno.id), first)
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: a start is known from the moment it is asked for, and removed with its dyno`, async () => {
    const ids: DynoId[] = []
    const starts = Array.from({ length: AT_ONCE }, () => {
      const dyno = aSpec(COMMANDS.waits)
      ids.push(dyno.id)
      return runtime.start(dyno, signal)
    })
    const ended = Promise.allSettled(starts)
    const known = await runtime.status(ids, signal)
    assert.deepEqual([...known.keys()], ids)
    await Promise.all(ids.map((id) => runtime.remove(id, signal)))
    const outcomes = await ended
    assert.ok(outcomes.some(({ status }) => status === 'rejected'))
    assert.deepEqual(await runtime.status(ids, signal), new Map())
    const there = await runtime.list(signal)
    assert.ok(!ids.some((id) => there.includes(id)))
  })

  test(`${name}: a web dyno listens, and the watcher is told`, async (t) => {
    const told = new Set<DynoId>()
    const watching = new AbortController()
    t.after(() => watching.abort())
    runtime.watch((id) => told.add(id), watching.signal)
    const dyno = await started(COMMANDS.listens, { port: PORT })
    await until('it listens', async () => {
      const status = await statusOf(dyno.id)
      return status?.is === 'running' && status.listening
    })
    await until('the watcher is told', () => told.has(dyno.id))
    watching.abort()
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: an exit status comes through, and the watcher is told`, async (t) => {
    const told = new Set<DynoId>()
    const watching = new AbortController()
    t.after(() => watching.abort())
    runtime.watch((id) => told.add(id), watching.signal)
    const dyno = await started(COMMANDS.exits)
    const status = await exited(dyno.id)
    assert.equal(status.status, 7)
    assert.equal(status.outOfMemory, false)
    assert.ok(status.at >= status.startedAt)
    await until('the watcher is told', () => told.has(dyno.id))
    watching.abort()

    await runtime.start(dyno, signal)
    assert.deepEqual(await statusOf(dyno.id), status, 'an ended dyno is not started anew')
    assert.ok((await runtime.list(signal)).includes(dyno.id))
    await runtime.remove(dyno.id, signal)
    assert.equal(await statusOf(dyno.id), undefined)
    assert.ok(!(await runtime.list(signal)).includes(dyno.id))
  })

  test(`${name}: SIGTERM ends a dyno with status 143`, async () => {
    const dyno = await started(COMMANDS.waits)
    await printed(dyno.id, 'ready')
    await runtime.terminate(dyno.id, signal)
    await runtime.terminate(dyno.id, signal)
    assert.equal((await exited(dyno.id)).status, 143)
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: it is remembered that SIGTERM was sent; SIGKILL ends what ignores it`, async () => {
    const dyno = await started(COMMANDS.ignoresSigterm)
    await printed(dyno.id, 'ready')
    await runtime.terminate(dyno.id, signal)
    const status = await statusOf(dyno.id)
    assert.ok(status?.is === 'running' && status.terminated)
    await runtime.kill(dyno.id, signal)
    await runtime.kill(dyno.id, signal)
    assert.equal((await exited(dyno.id)).status, 137)
    await runtime.kill(dyno.id, signal)
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: SIGHUP ends a dyno with status 129`, async () => {
    const dyno = await started(COMMANDS.waits)
    await printed(dyno.id, 'ready')
    await runtime.hangUp(dyno.id, signal)
    assert.equal((await exited(dyno.id)).status, 129)
    await runtime.hangUp(dyno.id, signal)
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: the memory of running dynos is told, and of no others`, async () => {
    const [dyno, ended] = [await started(COMMANDS.waits), await started(COMMANDS.exits)]
    await exited(ended.id)
    const use = await runtime.usage([dyno.id, ended.id, newId<'dyno'>()], signal)
    assert.deepEqual([...use.keys()], [dyno.id])
    const { rss = -1, cache = -1, swap = -1 } = use.get(dyno.id) ?? {}
    assert.ok(rss >= 0 && cache >= 0 && swap >= 0)
    const runnable = await runtime.runnable([dyno.id, ended.id, newId<'dyno'>()], signal)
    assert.deepEqual([...runnable.keys()], [dyno.id])
    assert.ok((runnable.get(dyno.id) ?? -1) >= 0)
    for (const { id } of [dyno, ended]) await runtime.remove(id, signal)
  })

  test(`${name}: a dyno is asked by HTTP; one that does not listen has no answer`, async () => {
    const web = await started(COMMANDS.answers, { port: PORT })
    const mute = await started(COMMANDS.waits, { port: PORT })
    await until('it answers', async () => (await answerOf(web.id, '/')) === 200)
    assert.equal(await answerOf(web.id, '/elsewhere'), 302)
    assert.equal(await answerOf(mute.id, '/'), undefined)
    assert.equal(await answerOf(newId<'dyno'>(), '/'), undefined)
    for (const { id } of [web, mute]) await runtime.remove(id, signal)
  })

  test(`${name}: a running dyno is entered, as often as told; no other can be`, async () => {
    const [dyno, ended] = [await started(COMMANDS.waits), await started(COMMANDS.exits)]
    await exited(ended.id)
    const entry = {
      id: newId<'entry'>(),
      command: COMMANDS.waits,
      environment: { PATH: '/usr/bin:/bin' },
      terminal: { columns: 80, rows: 24 },
    }
    await runtime.enter(dyno.id, entry, signal)
    await runtime.enter(dyno.id, entry, signal)
    assert.equal((await statusOf(dyno.id))?.is, 'running')
    for (const id of [ended.id, newId<'dyno'>()]) {
      await assert.rejects(runtime.enter(id, entry, signal), { code: 'not_running' })
    }
    // What is inside goes with it.
    for (const { id } of [dyno, ended]) await runtime.remove(id, signal)
  })

  test(`${name}: a dyno may be for a client; then its log has nothing`, async () => {
    for (const terminal of [undefined, { columns: 80, rows: 24 }]) {
      const dyno = await started(COMMANDS.exits, { attachment: { terminal } })
      await runtime.start(dyno, signal)
      assert.equal((await exited(dyno.id)).status, 7)
      assert.deepEqual(await runtime.output(dyno.id, 0, signal), { text: '', offset: 0 })
      await runtime.remove(dyno.id, signal)
    }
  })

  test(`${name}: the machine has room`, async () => {
    assert.ok((await runtime.capacity(signal)).memory > 0)
  })

  test(`${name}: output is read piece by piece`, async () => {
    const dyno = await started(COMMANDS.prints)
    const lines = new Set<string>()
    let offset = 0
    await until('all is printed', async () => {
      const output = await runtime.output(dyno.id, offset, signal)
      for (const line of output.text.split('\n')) lines.add(line)
      offset = output.offset
      return ['one', 'two', 'three'].every((line) => lines.has(line))
    })
    assert.deepEqual(await runtime.output(dyno.id, offset, signal), { text: '', offset })
    await runtime.remove(dyno.id, signal)
  })

  test(`${name}: what is not there can be told anything, and is unknown`, async () => {
    const id = newId<'dyno'>()
    await runtime.terminate(id, signal)
    await runtime.hangUp(id, signal)
    await runtime.kill(id, signal)
    await runtime.remove(id, signal)
    assert.equal(await statusOf(id), undefined)
    assert.deepEqual(await runtime.output(id, 0, signal), { text: '', offset: 0 })
  })

  test(`${name}: removing a running dyno ends it; its address may be used again`, async () => {
    const first = await started(COMMANDS.waits)
    await runtime.remove(first.id, signal)
    const second = await started(COMMANDS.waits, { address: first.address })
    assert.equal((await statusOf(second.id))?.is, 'running')
    await runtime.remove(second.id, signal)
  })

  test(`${name}: nothing is begun once the signal has aborted`, async () => {
    const dyno = aSpec(COMMANDS.waits)
    await assert.rejects(runtime.start(dyno, AbortSignal.abort()))
    assert.equal(await statusOf(dyno.id), undefined)
  })

  async function started(
    command: string,
    changes: Partial<DynoSpec> = {},
  ): Promise<DynoSpec> {
    const dyno = { ...aSpec(command), ...changes }
    await runtime.start(dyno, signal)
    simulate(runtime, dyno)
    return dyno
  }

  function aSpec(command: string): DynoSpec {
    assert.ok(opened)
    return aDynoSpec({ command, address: opened.address(used++) })
  }

  async function statusOf(id: DynoId): Promise<DynoStatus | undefined> {
    return (await runtime.status([id], signal)).get(id)
  }

  function answerOf(id: DynoId, path: string): Promise<number | undefined> {
    return runtime.probe(id, { path, timeout: 20 * SECOND }, signal)
  }

  async function exited(id: DynoId) {
    return untilSeen('it has ended', async () => {
      const status = await statusOf(id)
      return status?.is === 'exited' ? status : undefined
    })
  }

  async function printed(id: DynoId, text: string): Promise<void> {
    await until(`it prints ${text}`, async () =>
      (await runtime.output(id, 0, signal)).text.includes(text),
    )
  }
}
