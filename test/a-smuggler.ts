/** What attacks by hidden requests have in common: what is hidden, who else is there, and what came of it. */

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { SECOND } from '../src/lib/clock.ts'
import { type ARouter, get } from './a-router.ts'
import type { StrictRecorder } from './a-strict-recorder.ts'
import { saidByHaproxy } from './asked-of-haproxy.ts'
import { until } from './until.ts'

export const HOST = 'Host: prey.localhost\r\n'
export const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}X: `
export const HIDDEN_WHOLE = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`
export const TO_HIDE = `0\r\n\r\n${HIDDEN}`

/** It hears all that there is to hear, and goes: not because its own process was late to read. */
export function isPatient(client: Socket): void {
  client.setTimeout(SECOND).on('timeout', () => {
    const { bytesRead } = client
    setImmediate(() => client.bytesRead === bytesRead && client.destroy())
  })
  client.on('data', () => client.setTimeout(0.15 * SECOND))
}

/**
 * Somebody else, whose connection the router knows by then: to HAProxy the first request of one is
 * not to go by a connection to the dyno that others have used. It asks when HAProxy has put by every
 * connection to the dyno: that comes after its client has the answer, and until then nobody gets it.
 */
export async function aBystander(
  t: TestContext,
  router: Pick<ARouter, 'port' | 'directory'>,
  host: string,
  recorder: StrictRecorder,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const asks = async (path: string) => {
    await until('no connection to the dyno is in use', async () => {
      const open = await recorder.atRest()
      return (await putBy(router)) === open.length
    })
    return (await get(router.port, path, { host }, agent)).body
  }
  await asks('/before')
  return asks
}

/** How many connections to dynos HAProxy's threads have ready for any request. */
async function putBy(router: Pick<ARouter, 'directory'>): Promise<number> {
  const said = await saidByHaproxy(router, 'show servers conn')
  // Its last columns are one of each thread, by thirteen others.
  const perThread = said
    .split('\n')
    .filter((line) => /^app\d+\//.test(line))
    .flatMap((line) => line.trim().split(' ').slice(13))
  return perThread.reduce((sum, it) => sum + Number(it), 0)
}

let probes = 0

/** What came of an attack, and of the next request, which is a bystander's. */
export async function afterAttack(
  recorder: StrictRecorder,
  attack: () => Promise<string>,
  bystander: (path: string) => Promise<string>,
) {
  await recorder.hangUp()
  recorder.requests()
  const got = await attack()
  const open = await recorder.atRest()
  const faults = recorder.faults()
  const probe = `GET /probe-${++probes}`
  const answer = await bystander(probe.slice('GET '.length))
  faults.push(...recorder.faults())
  const requests = recorder.requests()
  const over = requests.find(({ line }) => line === probe)?.over
  return {
    faults,
    answer: answer === probe ? 'its own' : answer,
    /** Whether the dyno answered the attack; then a connection that it came by goes on. */
    isServed: / 200 OK\r\n| \/shown/.test(got),
    goesOn: open.length > 0,
    /** Whether that is what the bystander's came by. */
    isShared: over !== undefined && open.includes(over),
    /** Without the bystander's. */
    requests: requests.map(({ line }) => line).filter((it) => it !== probe),
  }
}

/** But for requests that the dyno saw whole: which there may be differs. */
export function assertNothingHidden(its: Awaited<ReturnType<typeof afterAttack>>): void {
  const { faults, answer, isServed, goesOn, isShared } = its
  assert.deepEqual({ faults, answer }, { faults: [], answer: 'its own' })
  // Otherwise it would say nothing that the bystander got its own.
  assert.equal(isShared, isServed || goesOn)
}
