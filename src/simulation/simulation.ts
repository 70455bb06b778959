/**
 * The manager's own code on virtual time: a scenario happens to it, and after every turn
 * anything takes, what must be true is. One scenario always comes to the same, turn by turn.
 */

import type { Client } from 'pg'

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { causesOf, type Log } from '../lib/log.ts'
import { KEY_BYTES, secretBox } from '../lib/secret-box.ts'
import type { StopReason } from '../model/dyno.ts'
import type { Happening, Mishap, Wish } from './happening.ts'
import { told } from './happening.ts'
import { Machine } from './machine.ts'
import { Outside } from './outside.ts'
import { mended, openRegion, type Owners, ownersOn } from './owners.ts'
import { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { wake } from '../store/work.ts'
import { drawFrom } from './seeded-node.ts'
import {
  type DatabaseFault,
  type Server,
  SimulatedDatabase,
  withDatabase,
} from './simulated-database.ts'
import { type ManagerSurroundings, startManager } from './simulated-manager.ts'
import { STEADY } from './temper.ts'
import { SimulatedRouter } from './simulated-router.ts'
import { kill, type Mortal, Turns } from './turns.ts'
import { Violation } from './violation.ts'
import { VirtualTime } from './virtual-time.ts'
import { Watch } from './watch.ts'

export interface Outcome {
  /** Undefined: all was well until the end. */
  readonly violation: Violation | undefined
  /** Milliseconds of virtual time that passed. */
  readonly passed: number
  readonly tally: Tally
  /** What happened, and what the dynos did, line by line. */
  readonly trace: readonly string[]
}

export interface Tally {
  readonly started: number
  readonly causes: ReadonlyMap<StopReason, number>
  readonly managers: number
  readonly faults: number
  readonly looks: number
  readonly turns: number
}

const BEGIN = new Date('2026-01-01T00:00:00Z')
/** More turns than that without time passing: it goes round in circles. */
const MOST_TURNS_AT_ONCE = 20_000

export function simulate(scenario: Scenario, server: Server): Promise<Outcome> {
  const random = new Random(scenario.seed)
  const undo = drawFrom(random)
  return withDatabase(server, async (open) => {
    const [acting, observing] = [await open(), await open()]
    const simulation = new Simulation(scenario, random)
    return simulation.run(acting, observing)
  }).finally(undo)
}

class Simulation {
  readonly #scenario: Scenario
  readonly #random: Random
  readonly #time = new VirtualTime(BEGIN)
  readonly #turns: Turns
  readonly #outside = new Outside()
  readonly #trace: string[] = []
  readonly #machine: Machine
  readonly #listeners: { readonly mortal: Mortal; readonly heard: () => void }[] = []
  readonly #runtimeFaults: Extract<Mutable<Mishap>, { does: 'break runtime' }>[] = []
  readonly #databaseFaults: Extract<Mutable<Mishap>, { does: 'break database' }>[] = []
  readonly #failures: unknown[] = []
  #watch: Watch | undefined
  #manager: Mortal | undefined
  #hintsLostUntil = 0
  /** Apps that may run code which does not keep up. */
  readonly #ill = new Set<number>()
  #changed = false
  #started = false
  #counts = { managers: 0, faults: 0, looks: 0, turns: 0 }

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario
    this.#random = random
    this.#turns = new Turns(random)
    this.#machine = new Machine(this.#time, {
      befell: (id) => this.#watch?.befell(id),
      amiss: () => this.#sweepSoon(),
    })
  }

  async run(acting: Client, observing: Client): Promise<Outcome> {
    const watch = new Watch(observing, this.#machine, this.#time, (it) => this.#tell(it))
    this.#watch = watch
    const database = new SimulatedDatabase(acting, {
      time: this.#time,
      turns: this.#turns,
      fault: () => this.#databaseFault(),
      changed: () => {
        this.#changed = true
      },
      heard: () => this.#notified(),
    })
    const secrets = secretBox(Buffer.alloc(KEY_BYTES, 1))
    const api: Mortal = { name: 'api', dead: false, onDeath: async () => {} }
    const pool = database.poolOf(api, { breaks: false })
    const region = await this.#finished(openRegion(pool, this.#scenario.apps))
    this.#wakeSweep = () =>
      wake(pool, { kind: 'sweep', subject: region.id, region: region.name })
    const { clock } = this.#time
    const owners = await this.#finished(ownersOn(pool, { secrets, clock }))
    await acting.query('listen work_us')

    const around: ManagerSurroundings = {
      database,
      region,
      secrets,
      machine: this.#machine,
      router: new SimulatedRouter(this.#time, this.#random),
      outside: this.#outside,
      time: this.#time,
      turns: this.#turns,
      log: this.#log(),
      fault: () => this.#runtimeFault(),
      hints: () => this.#hints(),
      doing: (call, id) => {
        // Told to us, for a manager would take it as one more failure of the runtime.
        const violation = call === 'terminate' ? watch.terminating(id) : undefined
        if (violation) this.#failures.push(violation)
      },
      did: (call) => {
        if (call === 'start') this.#started = true
      },
      looked: () => {
        this.#counts.looks++
      },
      listens: (mortal, heard) => this.#listeners.push({ mortal, heard }),
    }
    this.#begin(around)
    for (const it of this.#scenario.happenings) {
      this.#time.after(it.at, () => this.#happens(it, { owners, around }))
    }
    const violation = await this.#untilViolated(watch)
    return {
      violation,
      passed: this.#time.now - BEGIN.getTime(),
      tally: { ...this.#counts, started: watch.started, causes: watch.causes },
      trace: this.#trace,
    }
  }

  async #untilViolated(watch: Watch): Promise<Violation | undefined> {
    const end = BEGIN.getTime() + this.#scenario.days * 24 * HOUR
    try {
      for (let atOnce = 0; this.#time.now <= end;) {
        if (++atOnce > MOST_TURNS_AT_ONCE) {
          throw new Violation('never stuck', 'it goes on and on without time passing')
        }
        await this.#settled()
        if (await this.#turns.next()) {
          this.#counts.turns++
          await this.#settled()
          await this.#check(watch)
          continue
        }
        await this.#check(watch)
        const before = this.#time.now
        if (!this.#time.jump()) throw new Violation('never stuck', 'nothing is ever due')
        if (this.#time.now > before) atOnce = 0
      }
      return undefined
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.#tell(`VIOLATION of "${error.invariant}": ${error.message}`)
      return error
    }
  }

  async #check(watch: Watch): Promise<void> {
    const [failure] = this.#failures.splice(0)
    if (failure) throw failure
    if (this.#changed) {
      this.#changed = false
      await watch.rows()
    }
    if (this.#started) {
      this.#started = false
      await watch.processes()
    }
  }

  /** Until everything that goes on waits for a turn or for time. */
  async #settled(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#outside.isBusy)
  }

  /** What is done before anything else goes on. */
  async #finished<T>(work: Promise<T>): Promise<T> {
    const progress = { done: false }
    const end = work.finally(() => {
      progress.done = true
    })
    end.catch(() => {})
    while (!progress.done) {
      await this.#settled()
      await this.#turns.next()
    }
    return end
  }

  #happens(it: Happening, to: { owners: Owners; around: ManagerSurroundings }): void {
    if (it.does !== 'check') this.#tell(told(it))
    this.#act(it, to).catch((error: unknown) => this.#failures.push(error))
  }

  async #act(
    it: Happening,
    { owners, around }: { owners: Owners; around: ManagerSurroundings },
  ): Promise<void> {
    const watch = this.#watch
    if (!watch) return
    if ('app' in it) {
      if (mayBreak(it)) this.#ill.add(it.app)
      const app = await owners.ask(it)
      if (app) watch.past.wished(app.id)
      return
    }
    switch (it.does) {
      case 'crash':
      case 'lose': {
        const running = await watch.running()
        const id = running[Math.floor(it.pick * running.length)]
        if (!id) return
        if (it.does === 'lose') this.#machine.lose(id, it)
        else this.#machine.crash(id, it.status, it.outOfMemory)
        return
      }
      case 'power cut':
        for (const id of await watch.running()) this.#machine.lose(id, { trace: true })
        await this.#kill(it.down)
        return
      case 'kill manager':
        if (!this.#manager || this.#manager.dead) return
        this.#manager.doom = { turns: it.turns, when: it.when }
        this.#down = it.down
        return
      case 'break runtime':
        this.#runtimeFaults.push({ ...it })
        return
      case 'break database':
        this.#databaseFaults.push({ ...it })
        return
      case 'lose hints':
        this.#hintsLostUntil = this.#time.now + it.for
        return
      case 'slow router':
        around.router.slowDown(it.by, it.for)
        return
      case 'mend':
        this.#runtimeFaults.splice(0)
        this.#databaseFaults.splice(0)
        this.#hintsLostUntil = 0
        around.router.slowDown(0, 0)
        if (this.#manager) this.#manager.doom = undefined
        // The others go on as they are, for some dynos must live to be cycled.
        for (const app of this.#ill) await owners.ask(mended(app))
        this.#ill.clear()
        return
      case 'check':
        return watch.calm()
    }
  }

  #down = SECOND

  #begin(around: ManagerSurroundings): void {
    const mortal: Mortal = {
      name: `manager ${++this.#counts.managers}`,
      dead: false,
      onDeath: async () => {
        this.#tell(`${mortal.name} dies`)
        this.#machine.amiss()
        await around.database.abandoned(mortal)
        this.#time.after(this.#down, () => this.#begin(around))
        this.#down = SECOND
      },
    }
    this.#manager = mortal
    this.#watch?.managerBegan()
    startManager(mortal, around)
  }

  async #kill(down: number): Promise<void> {
    if (!this.#manager || this.#manager.dead) return
    this.#down = down
    await kill(this.#manager)
  }

  #wakeSweep: () => Promise<void> = async () => {}
  #sweepIsDue = false

  #sweepSoon(): void {
    if (this.#sweepIsDue) return
    this.#sweepIsDue = true
    this.#time.after(MINUTE, () => {
      this.#sweepIsDue = false
      this.#wakeSweep().catch((error: unknown) => this.#failures.push(error))
    })
  }

  #notified(): void {
    for (const { mortal, heard } of this.#listeners) {
      if (mortal.dead) continue
      // The loop would find out by itself after some seconds.
      const late = this.#random.chance(0.01) ? 5 * SECOND : 0
      this.#time.after(late, () => {
        if (!mortal.dead) heard()
      })
    }
  }

  #hints(): readonly number[] {
    if (this.#time.now < this.#hintsLostUntil) {
      this.#machine.amiss()
      return []
    }
    if (this.#random.chance(0.9)) return [this.#random.whole(1, 20)]
    return this.#random.one([[], [5, 7], [this.#random.whole(1000, 10_000)]])
  }

  #runtimeFault() {
    const [first] = this.#runtimeFaults
    if (!first || first.calls-- > 0) return undefined
    this.#runtimeFaults.shift()
    this.#machine.amiss()
    this.#counts.faults++
    this.#tell(`the runtime: ${first.how}`)
    return first
  }

  #databaseFault(): DatabaseFault | undefined {
    const [first] = this.#databaseFaults
    if (!first || first.statements-- > 0) return undefined
    this.#databaseFaults.shift()
    this.#counts.faults++
    this.#tell(`the database is cut off ${first.how} a statement`)
    return first.how
  }

  #log(): Log {
    return {
      info: () => {},
      error: (message, error) => {
        const [cause = ''] = causesOf(error)
        this.#tell(`  ! ${message}: ${cause.split('\n')[0]}`)
      },
    }
  }

  #tell(line: string): void {
    const passed = this.#time.now - BEGIN.getTime()
    const day = Math.floor(passed / (24 * HOUR))
    const time = new Date(this.#time.now).toISOString().slice(11, 23)
    this.#trace.push(`day ${day} ${time} ${line}`)
  }
}

function mayBreak(wish: Wish): boolean {
  if (wish.does !== 'deploy') return wish.does === 'roll back' || wish.does === 'destroy'
  return [wish.web, wish.worker].some((it) => it !== STEADY)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
