/**
 * Apps are made, renamed and destroyed, their dynos come and go and their addresses are given to
 * others, all while clients ask. No client is ever answered by another app than it asked for.
 */

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test } from 'node:test'

import { aRouter, type ARouter, get, type Got } from '../../test/a-router.ts'
import { aPlace, ChurningApps } from '../../test/churning-apps.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { pause, SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const soak = process.env['MAYFLY_SOAK'] !== undefined
const LIMITS = { inAll: soak ? 1000 : 60, atOnce: 40 }
const CLIENTS = 8
const LISTENERS = 90
/** A new owner of a name is heeded by then, with all looks of this test's machine. */
const FOLLOWS_WITHIN = 10 * SECOND

interface Asking {
  readonly router: ARouter
  readonly apps: ChurningApps
  readonly answers: Answers
  readonly over: AbortSignal
}

test('no request is answered by another app, whatever comes and goes', async (t) => {
  const router = await aRouter(t, pool)
  const places = await Promise.all(
    Array.from({ length: LISTENERS }, (_, nth) => aPlace(t, nth + 1)),
  )
  const apps = new ChurningApps({ router, pool }, places, LIMITS)
  const answers = new Answers(apps)
  const over = new AbortController()
  t.after(() => over.abort())

  await router.look()
  await router.start()
  const looking = lookOn(router)
  const asking = { router, apps, answers, over: over.signal }
  const clients = Promise.all(Array.from({ length: CLIENTS }, () => askOn(asking)))
  while (!apps.areGone) {
    await apps.change()
    await pause(2)
  }
  over.abort()
  await clients
  await looking.stop()

  const { wrong, seen, dynos } = answers
  assert.deepEqual(wrong, [])
  assert.equal(seen.broken, 0)
  let told = new Map<string, string>()
  // Those of requests that a reload met under way are lost: docs/operating/router.md.
  await until('nearly all have their record', () => {
    told = new Map(router.records.map(whoAnswered))
    const missing = [...dynos.keys()].filter((id) => !told.has(id))
    return missing.length < 0.01 * dynos.size
  })
  for (const [id, dyno] of dynos) assert.equal(told.get(id) ?? dyno, dyno)
  assert.ok(seen.answered > LIMITS.inAll, JSON.stringify(seen))
  t.diagnostic(`${LIMITS.inAll} apps: ${JSON.stringify(seen)}`)
})

/** What clients were answered, and whether by the app that they asked for. */
class Answers {
  readonly #apps: ChurningApps
  readonly wrong: string[] = []
  readonly seen = { asked: 0, answered: 0, without: 0, broken: 0 }
  /** By request id: the dyno that answered. */
  readonly dynos = new Map<string, string>()

  constructor(apps: ChurningApps) {
    this.#apps = apps
  }

  take(name: string, got: Got | undefined, sent: number): void {
    this.seen.asked++
    if (!got) {
      this.seen.broken++
      return
    }
    const { status, headers, body } = got
    const app = headers['x-app']
    // A page of the router's: the app is not there yet, or not any more.
    if (app === undefined) {
      this.seen.without++
      return
    }
    this.seen.answered++
    this.dynos.set(String(headers['x-asked']), String(headers['x-dyno']))
    const isTheirs = this.#apps.wasNameOf(name, app, sent - FOLLOWS_WITHIN)
    if (status !== 200 || !isTheirs || body !== app)
      this.wrong.push(`${name}: ${status} ${String(app)}`)
  }
}

async function askOn({ router, apps, answers, over }: Asking): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!over.aborted) {
    const name = apps.nameOfOne()
    if (name === undefined) {
      await pause(1)
      continue
    }
    const host = `${name}.localhost`
    const sent = performance.now()
    const got = await get(router.port, '/', { host }, agent).catch(() => undefined)
    answers.take(name, got, sent)
  }
  agent.destroy()
}

/** Of a record: the request's id, and the dyno that HAProxy gave it to. */
function whoAnswered(record: string): [string, string] {
  const [, id = '', dyno = ''] = / request_id=(\S+) dyno=[^: ]+:(\S+)/.exec(record) ?? []
  return [id, dyno]
}

/** The look again and again, as the manager's loop has it. */
function lookOn(router: ARouter): { stop(): Promise<void> } {
  const over = new AbortController()
  const looking = (async () => {
    while (!over.signal.aborted) {
      await router.look()
      await pause(5)
    }
  })()
  return {
    async stop() {
      over.abort()
      await looking
    },
  }
}
