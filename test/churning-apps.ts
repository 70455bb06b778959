/**
 * Apps that are made, renamed and destroyed by chance, and their dynos, which come and go, each at a place that
 * another had before.
 */

import { randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

import type { Pool } from 'pg'

import type { AppId, DynoId } from '../src/model/ids.ts'
import type { ARouter } from './a-router.ts'

/** Where a dyno may run: it answers as whoever has it now. */
export interface Place {
  readonly address: string
  readonly port: number
  tenant: { readonly app: AppId; readonly dyno: DynoId } | undefined
}

interface TestDyno {
  readonly id: DynoId
  readonly place: Place
}

interface TestApp {
  readonly id: AppId
  name: string
  readonly dynos: TestDyno[]
}

export interface ChurnLimits {
  /** How many apps are made. */
  readonly inAll: number
  readonly atOnce: number
}

export async function aPlace(t: TestContext, nth: number): Promise<Place> {
  const address = `127.8.${1 + (process.pid % 200)}.${nth}`
  // Node hangs up on who is idle for five seconds, perhaps as HAProxy asks for more.
  const server = createServer({ keepAliveTimeout: 0 }, ({ headers }, answer) => {
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

export class ChurningApps {
  readonly #router: ARouter
  readonly #pool: Pool
  readonly #free: Place[]
  readonly #limits: ChurnLimits
  readonly #apps: TestApp[] = []
  readonly #leaving: TestDyno[] = []
  /** Whose a name was, and until when: a request may be answered by who had it as it was sent. */
  readonly #owners = new Map<string, { readonly app: AppId; until: number }[]>()
  #made = 0

  constructor(
    { router, pool }: { readonly router: ARouter; readonly pool: Pool },
    places: readonly Place[],
    limits: ChurnLimits,
  ) {
    this.#router = router
    this.#pool = pool
    this.#free = [...places]
    this.#limits = limits
  }

  /** All were made, and destroyed. */
  get areGone(): boolean {
    return this.#made >= this.#limits.inAll && this.#apps.length === 0
  }

  /** Undefined: there is none at the moment. */
  nameOfOne(): string | undefined {
    return this.#apps[randomInt(Math.max(1, this.#apps.length))]?.name
  }

  /** `since`: as of `performance.now()`. */
  wasNameOf(name: string, app: unknown, since: number): boolean {
    const owners = this.#owners.get(name) ?? []
    return owners.some((it) => it.app === app && it.until > since)
  }

  async change(): Promise<void> {
    await this.#releasePlaces()
    const { inAll, atOnce } = this.#limits
    const dice = randomInt(10)
    const mayMake = this.#made < inAll
    if (mayMake && (this.#apps.length < 3 || (this.#apps.length < atOnce && dice < 4)))
      return this.#make()
    if (dice < (mayMake ? 6 : 7)) return this.#destroy()
    return dice < 7 ? this.#rename() : this.#replace()
  }

  async #make(): Promise<void> {
    const name = `churn-${this.#made++}`
    const id = await this.#router.app(name, { web: 2 })
    this.#own(name, id)
    const app: TestApp = { id, name, dynos: [] }
    this.#apps.push(app)
    for (let n = 1 + randomInt(2); n > 0; n--) await this.#start(app)
  }

  async #destroy(): Promise<void> {
    const [app] = this.#apps.splice(randomInt(Math.max(1, this.#apps.length)), 1)
    if (!app) return
    await this.#pool.query('update apps set deleted_at = now() where id = $1', [app.id])
    while (app.dynos.length > 0) await this.#stop(app)
  }

  /** Its old name is another's at once. */
  async #rename(): Promise<void> {
    const [app, other] = [this.#any(), this.#any()]
    if (!app || !other || app === other) return
    const [old, aside] = [app.name, `aside-${this.#made}-${randomInt(1e9)}`]
    this.#own(old, other.id)
    this.#own(aside, app.id)
    const rename = 'update apps set name = $2 where id = $1'
    await this.#pool.query(rename, [app.id, aside])
    await this.#pool.query(rename, [other.id, old])
    app.name = aside
    other.name = old
  }

  async #replace(): Promise<void> {
    const app = this.#any()
    if (!app) return
    await this.#start(app)
    if (app.dynos.length > 1) await this.#stop(app)
  }

  async #start(app: TestApp): Promise<void> {
    const place = this.#free.pop()
    if (!place) return
    const id = await this.#router.dyno(app.id, place, 'starting')
    place.tenant = { app: app.id, dyno: id }
    await this.#router.become(id, 'up')
    app.dynos.push({ id, place })
  }

  async #stop(app: TestApp): Promise<void> {
    const dyno = app.dynos.shift()
    if (!dyno) return
    await this.#router.become(dyno.id, 'stopping')
    this.#leaving.push(dyno)
  }

  /** As the manager does: an address is another's only once no request can reach its dyno. */
  async #releasePlaces(): Promise<void> {
    for (const dyno of this.#leaving.splice(0)) {
      if (await this.#router.isRouted(dyno.id)) this.#leaving.push(dyno)
      else {
        await this.#router.become(dyno.id, 'down')
        dyno.place.tenant = undefined
        this.#free.unshift(dyno.place)
      }
    }
  }

  #own(name: string, app: AppId): void {
    const before = this.#owners.get(name) ?? []
    for (const it of before) it.until = Math.min(it.until, performance.now())
    this.#owners.set(name, [...before, { app, until: Infinity }])
  }

  #any(): TestApp | undefined {
    return this.#apps[randomInt(Math.max(1, this.#apps.length))]
  }
}
