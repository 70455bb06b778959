/**
 * Apps are made, renamed and destroyed, their dynos come and go and their addresses are given to
 * others, all while clients ask. No client is ever answered by another app than it asked for.
 */

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { Agent, createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aRouter, type ARouter, get, type Got } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { pause, SECOND } from '../lib/clock.ts'
import type { AppId, DynoId } from '../model/ids.ts'

const pool = aDatabase()

const soak = process.env['MAYFLY_SOAK'] !== undefined
/** How many apps are made in all, and how many there are at a time. */
const APPS = soak ? 1000 : 60
const AT_ONCE = 40
const CLIENTS = 8
const LISTENERS = 90
/** A new owner of a name is heeded by then, with all looks of this test's machine. */
const FOLLOWS_WITHIN = 10 * SECOND

/** Where a dyno may run: it answers as whoever has it now. */
interface Place {
  readonly address: string
  readonly port: number
  tenant: { readonly app: AppId; readonly dyno: DynoId } | undefined
}

interface TestApp {
  readonly id: AppId
  name: string
  dynos: { readonly id: DynoId; readonly place: Place }[]
}

async function aPlace(t: TestContext, nth: number): Promise<Place> {
  const address = `127.8.${1 + (process.pid % 200)}.${nth}`
  const server = createServer(({ headers }, answer) => {
    const { app = 'nobody', dyno = 'nobody' } = place.tenant ?? {}
    answer.setHeader('x-app', app).setHeader('x-dyno', dyno)
    answer.setHeader('x-asked', String(headers['x-request-id']))
    // Some take a while: so requests are under way when their dynos are told to leave.
    setTimeout(() => answer.end(app), randomInt(10) === 0 ? 30 : 0)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const place: Place = { address, port, tenant: undefined }
  return place
}

test('no request is answered by another app, whatever comes and goes', async (t) => {
  const router = await aRouter(t, pool)
  const free = await Promise.all(
    Array.from({ length: LISTENERS }, (_, nth) => aPlace(t, nth + 1)),
  )
  const leaving: { readonly id: DynoId; readonly place: Place }[] = []
  const apps: TestApp[] = []
  /** Whose a name was, and until when: a request may be answered by who had it as it was sent. */
  const owners = new Map<string, { readonly app: AppId; until: number }[]>()
  const own = (name: string, app: AppId) => {
    const before = owners.get(name) ?? []
    for (const it of before) it.until = Math.min(it.until, performance.now())
    owners.set(name, [...before, { app, until: Infinity }])
  }
  /** By request id: the dyno that answered. */
  const answeredBy = new Map<string, string>()
  let made = 0

  await router.look()
  await router.start()
  const looking = lookOn(router)
  const over = new AbortController()
  const seen = { asked: 0, answered: 0, without: 0, broken: 0 }
  const wrong: string[] = []
  const clients = Promise.all(Array.from({ length: CLIENTS }, ask))
  t.after(() => over.abort())

  while (made < APPS || apps.length > 0) {
    await releasePlaces()
    const dice = randomInt(10)
    if (made < APPS && (apps.length < 3 || (apps.length < AT_ONCE && dice < 4))) {
      await make()
    } else if (dice < 7 && made >= APPS) await destroy()
    else if (dice < 6) await destroy()
    else if (dice < 7) await rename()
    else await replace()
    await pause(2)
  }
  over.abort()
  await clients
  await looking.stop()
  assert.deepEqual(wrong, [])
  assert.equal(seen.broken, 0)
  let told = new Map<string, string>()
  // Those of requests that a reload met under way are lost: docs/operating/router.md.
  await until('nearly all have their record', () => {
    told = new Map(router.records.map(whoAnswered))
    const missing = [...answeredBy.keys()].filter((id) => !told.has(id))
    return missing.length < 0.01 * answeredBy.size
  })
  for (const [id, dyno] of answeredBy) assert.equal(told.get(id) ?? dyno, dyno)
  assert.ok(seen.answered > APPS, JSON.stringify(seen))
  t.diagnostic(`${APPS} apps: ${JSON.stringify(seen)}`)

  async function make(): Promise<void> {
    const name = `churn-${made++}`
    const id = await router.app(name, { web: 2 })
    own(name, id)
    const app: TestApp = { id, name, dynos: [] }
    apps.push(app)
    for (let n = 1 + randomInt(2); n > 0; n--) await start(app)
  }

  async function start(app: TestApp): Promise<void> {
    const place = free.pop()
    if (!place) return
    const id = await router.dyno(app.id, place, 'starting')
    place.tenant = { app: app.id, dyno: id }
    await router.become(id, 'up')
    app.dynos.push({ id, place })
  }

  async function stop(app: TestApp): Promise<void> {
    const dyno = app.dynos.shift()
    if (!dyno) return
    await router.become(dyno.id, 'stopping')
    leaving.push(dyno)
  }

  /** As the manager does: an address is another's only once no request can reach its dyno. */
  async function releasePlaces(): Promise<void> {
    for (const dyno of leaving.splice(0)) {
      if (await router.isRouted(dyno.id)) leaving.push(dyno)
      else {
        await router.become(dyno.id, 'down')
        dyno.place.tenant = undefined
        free.unshift(dyno.place)
      }
    }
  }

  async function destroy(): Promise<void> {
    const [app] = apps.splice(randomInt(Math.max(1, apps.length)), 1)
    if (!app) return
    await pool.query('update apps set deleted_at = now() where id = $1', [app.id])
    while (app.dynos.length > 0) await stop(app)
  }

  /** Its old name is another's at once. */
  async function rename(): Promise<void> {
    const [app, other] = [apps[randomInt(apps.length)], apps[randomInt(apps.length)]]
    if (!app || !other || app === other) return
    const [old, aside] = [app.name, `aside-${made}-${randomInt(1e9)}`]
    own(old, other.id)
    own(aside, app.id)
    await pool.query('update apps set name = $2 where id = $1', [app.id, aside])
    await pool.query('update apps set name = $2 where id = $1', [other.id, old])
    app.name = aside
    other.name = old
  }

  async function replace(): Promise<void> {
    const app = apps[randomInt(apps.length)]
    if (!app) return
    await start(app)
    if (app.dynos.length > 1) await stop(app)
  }

  async function ask(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!over.signal.aborted) {
      const name = apps[randomInt(Math.max(1, apps.length))]?.name
      if (name === undefined) {
        await pause(1)
        continue
      }
      seen.asked++
      const host = `${name}.localhost`
      const sent = performance.now()
      const got = await get(router.port, '/', { host }, agent).catch(() => undefined)
      if (got) check(name, got, sent)
      else seen.broken++
    }
    agent.destroy()
  }

  function check(name: string, { status, headers, body }: Got, sent: number): void {
    const app = headers['x-app']
    // A page of the router's: the app is not there yet, or not any more.
    if (app === undefined) {
      seen.without++
      return
    }
    seen.answered++
    answeredBy.set(String(headers['x-asked']), String(headers['x-dyno']))
    const mine = owners
      .get(name)
      ?.some((it) => it.app === app && it.until > sent - FOLLOWS_WITHIN)
    if (status !== 200 || !mine || body !== app)
      wrong.push(`${name}: ${status} ${String(app)}`)
  }
})

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
