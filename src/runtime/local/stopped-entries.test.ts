/** A dyno whose processes stop whoever enters it: over crun and conmon. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { MINUTE, pause, SECOND } from '../../lib/clock.ts'
import { newId } from '../../model/ids.ts'
import { LocalRuntime } from './local-runtime.ts'
import { processStatus } from './process-status.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
const runtime = new LocalRuntime({ ...options, mostEntries: Infinity })
/** Gives up sooner, so that it can be waited for. */
const hasty = new LocalRuntime({
  ...options,
  mostEntries: Infinity,
  entersWithin: 7 * SECOND,
})

/** A session that is let in is stopped a moment later, and holds nobody up. */
const STOPS_ALL = `trap '' HUP; while :; do kill -STOP -1; done 2>/dev/null`
/** Far longer than a session still takes to begin whose process is stopped too late to keep it from that. */
const HANGS = 2 * SECOND
const LOOK_EVERY = 20

before(() => runtime.prepare(signal))
after(close)

test('a dyno is ended whatever it does to who enters it, and nothing is left of that', async () => {
  const dyno = aDynoSpec({ command: STOPS_ALL, address: address(0) })
  await runtime.start(dyno, signal)
  const enter = (by = runtime, patience = signal) => {
    const id = newId<'entry'>()
    const entry = { id, command: 'true', environment: {}, terminal: undefined }
    return { id, entered: by.enter(dyno.id, entry, patience) }
  }
  const { id, entered } = await oneThatHangs(() => enter(hasty))
  let over = false
  const outcome = assert.rejects(entered, /enter dyno/).finally(() => (over = true))

  // Who waits for it can be called off, and what ends the dyno does not wait.
  const patience = new AbortController()
  const waiting = enter(hasty, patience.signal).entered
  patience.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  await runtime.hangUp(dyno.id, signal)
  assert.ok(!over)
  assert.notDeepEqual(processesOf(id), [])

  await outcome
  await until('what was killed is gone', () => processesOf(id).length === 0)
  assert.equal((await runtime.status([dyno.id], signal)).get(dyno.id)?.is, 'running')

  const next = await oneThatHangs(() => enter())
  const removed = assert.rejects(next.entered, ({ cause }: Error) => {
    assert.doesNotMatch(String(cause), /too long/)
    return true
  })
  await runtime.remove(dyno.id, signal)
  await removed
  await until('what was killed is gone', () => processesOf(next.id).length === 0)
})

interface Attempt {
  readonly id: string
  readonly entered: Promise<void>
}

/** Which of them does is chance: the process is to be stopped before it has become its command. */
async function oneThatHangs(enter: () => Attempt): Promise<Attempt> {
  const end = performance.now() + 1.5 * MINUTE
  while (performance.now() < end) {
    const it = enter()
    if (await hangs(it)) return it
  }
  throw new Error('none of them hung')
}

async function hangs({ id, entered }: Attempt): Promise<boolean> {
  const over = entered.then(
    () => false,
    () => false,
  )
  for (;;) {
    const stopped = processesOf(id).some(isStopped)
    const waited = pause(stopped ? HANGS : LOOK_EVERY).then(() => stopped || undefined)
    const answer = await Promise.race([over, waited])
    if (answer !== undefined) return answer
  }
}

function isStopped(pid: number): boolean {
  return processStatus(pid)?.state === 'T'
}

/** By their command lines. */
function processesOf(id: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(id)
      } catch {
        return false
      }
    })
}
