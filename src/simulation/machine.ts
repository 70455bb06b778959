/**
 * The machine under a simulated manager: the memory runtime, whose processes do by themselves
 * what their command says, and a ledger of what truly happened to each, by which the causes
 * that the product gives are judged.
 */

import { MINUTE, SECOND } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import type { DynoSpec, DynoStatus } from '../runtime/runtime.ts'
import { temperOf } from './temper.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What befell a dyno without the manager's doing. */
export type Fate = 'crash' | 'out of memory' | 'host lost'

const SIGTERM_STATUS = 143
/** Enough for a few sweeps. */
const AMISS_FOR = 0.5 * MINUTE

export class Machine {
  readonly runtime: MemoryRuntime
  /** Of every dyno ever: all that befell it. */
  readonly fates = new Map<DynoId, Set<Fate>>()
  readonly #time: VirtualTime
  #amissUntil = 0
  readonly #tell: ConstructorParameters<typeof Machine>[1]

  constructor(
    time: VirtualTime,
    tell: {
      readonly befell: (id: DynoId, fate: Fate) => void
      /** The sweep should look soon. */
      readonly amiss: () => void
    },
  ) {
    this.#time = time
    this.#tell = tell
    this.runtime = new MemoryRuntime(time.clock, {
      boot: (spec) => this.#boot(spec),
      heedsSigterm: (spec) => this.#heedsSigterm(spec),
    })
  }

  crash(id: DynoId, status: number, outOfMemory: boolean): void {
    this.#befall(id, outOfMemory ? 'out of memory' : 'crash')
    this.runtime.exit(id, status, { outOfMemory })
  }

  /** It is gone, and the machine knows only that it was there; or not even that. */
  lose(id: DynoId, { trace }: { readonly trace: boolean }): void {
    this.#befall(id, 'host lost')
    if (trace) this.runtime.lose(id)
    else this.runtime.forget(id)
  }

  /** Something went wrong that a manager may not have heard of. */
  amiss(): void {
    this.#tell.amiss()
    this.#amissUntil = this.#time.now + AMISS_FOR
  }

  get wantsSweep(): boolean {
    return this.#time.now < this.#amissUntil
  }

  async statuses(): Promise<ReadonlyMap<DynoId, DynoStatus>> {
    const { signal } = new AbortController()
    return this.runtime.status(await this.runtime.list(signal), signal)
  }

  #boot(spec: DynoSpec): 'listens' | 'waits' | { readonly exits: number } {
    const { listens, exits, status } = temperOf(spec.command)
    if (exits === 0) {
      this.#befall(spec.id, 'crash')
      return { exits: status }
    }
    this.#time.after(exits * SECOND, () => this.#crashIfRunning(spec.id, status))
    if (listens === 0) return 'listens'
    this.#time.after(listens * SECOND, () => this.runtime.listen(spec.id))
    return 'waits'
  }

  #heedsSigterm({ id, command }: DynoSpec): boolean {
    const { stops } = temperOf(command)
    if (stops === 0) return true
    this.#time.after(stops * SECOND, () => this.runtime.exit(id, SIGTERM_STATUS))
    return false
  }

  #crashIfRunning(id: DynoId, status: number): void {
    if (this.runtime.isRunning(id)) this.crash(id, status, false)
  }

  #befall(id: DynoId, fate: Fate): void {
    this.amiss()
    const known = this.fates.get(id) ?? new Set()
    this.fates.set(id, known.add(fate))
    this.#tell.befell(id, fate)
  }
}
