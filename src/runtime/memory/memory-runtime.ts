import type { Clock } from '../../lib/clock.ts'
import type { DynoId } from '../../model/ids.ts'
import type { DynoSpec, DynoStatus, Output, Runtime } from '../runtime.ts'

const LARGEST_OUTPUT = 64 * 1024
const SIGTERM_STATUS = 143
const SIGKILL_STATUS = 137

export interface MemoryRuntimeOptions {
  /** What a started dyno does at first. Default: its port is bound at once. */
  readonly boot?: (dyno: DynoSpec) => 'listens' | 'waits' | { readonly exits: number }
  /** Whether SIGTERM ends it, with status 143. Default: yes. */
  readonly heedsSigterm?: (dyno: DynoSpec) => boolean
}

interface MemoryDyno {
  readonly spec: DynoSpec
  status: DynoStatus
  output: string
}

/**
 * A real driver whose dynos are map entries: what tests and simulations run on. It passes
 * the same contract as the others. What a process would do by itself is done to it from
 * outside: `listen`, `exit`, `print`, `lose`.
 */
export class MemoryRuntime implements Runtime {
  readonly #clock: Clock
  readonly #boot: NonNullable<MemoryRuntimeOptions['boot']>
  readonly #heedsSigterm: NonNullable<MemoryRuntimeOptions['heedsSigterm']>
  readonly #dynos = new Map<DynoId, MemoryDyno>()
  readonly #watchers = new Set<(id: DynoId) => void>()

  constructor(clock: Clock, options: MemoryRuntimeOptions = {}) {
    this.#clock = clock
    this.#boot = options.boot ?? (() => 'listens')
    this.#heedsSigterm = options.heedsSigterm ?? (() => true)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }

  async start(spec: DynoSpec, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const present = this.#dynos.get(spec.id)
    if (present && present.status.is !== 'created') return
    const boot = this.#boot(spec)
    this.#dynos.set(spec.id, {
      spec,
      status: {
        is: 'running',
        startedAt: this.#clock.now(),
        listening: boot === 'listens' && spec.port !== undefined,
        terminated: false,
      },
      output: '',
    })
    if (typeof boot === 'object') this.exit(spec.id, boot.exits)
    else this.#tell(spec.id)
  }

  async terminate(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const dyno = this.#dynos.get(id)
    if (dyno?.status.is !== 'running' || dyno.status.terminated) return
    dyno.status = { ...dyno.status, terminated: true }
    if (this.#heedsSigterm(dyno.spec)) this.exit(id, SIGTERM_STATUS)
  }

  async kill(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.exit(id, SIGKILL_STATUS)
  }

  async remove(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#dynos.delete(id)
  }

  async status(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, DynoStatus>> {
    signal.throwIfAborted()
    const found = new Map<DynoId, DynoStatus>()
    for (const id of ids) {
      const dyno = this.#dynos.get(id)
      if (dyno) found.set(id, dyno.status)
    }
    return found
  }

  async list(signal: AbortSignal): Promise<readonly DynoId[]> {
    signal.throwIfAborted()
    return [...this.#dynos.keys()]
  }

  async output(id: DynoId, offset: number, signal: AbortSignal): Promise<Output> {
    signal.throwIfAborted()
    const whole = Buffer.from(this.#dynos.get(id)?.output ?? '')
    const part = whole.subarray(offset, offset + LARGEST_OUTPUT)
    return { text: part.toString(), offset: offset + part.length }
  }

  watch(changed: (id: DynoId) => void, signal: AbortSignal): void {
    if (signal.aborted) return
    this.#watchers.add(changed)
    signal.addEventListener('abort', () => this.#watchers.delete(changed), { once: true })
  }

  /** The dyno binds its port. */
  listen(id: DynoId): void {
    const dyno = this.#dynos.get(id)
    if (dyno?.status.is !== 'running') return
    dyno.status = { ...dyno.status, listening: true }
    this.#tell(id)
  }

  /** The dyno's process ends by itself. */
  exit(id: DynoId, status: number, { outOfMemory = false } = {}): void {
    const dyno = this.#dynos.get(id)
    if (dyno?.status.is !== 'running') return
    const { startedAt } = dyno.status
    const at = this.#clock.now()
    dyno.status = { is: 'exited', startedAt, at, status, outOfMemory }
    this.#tell(id)
  }

  /** The dyno prints. */
  print(id: DynoId, text: string): void {
    const dyno = this.#dynos.get(id)
    if (dyno) dyno.output += text
  }

  /** The dyno is gone and nothing tells how it ended. */
  lose(id: DynoId): void {
    const dyno = this.#dynos.get(id)
    if (dyno) dyno.status = { is: 'lost' }
  }

  /** Starting it was interrupted half-way: `start` goes on from there. */
  halfStart(spec: DynoSpec): void {
    this.#dynos.set(spec.id, { spec, status: { is: 'created' }, output: '' })
  }

  /** The machine lost all trace of the dyno, as if `remove` had been called. */
  forget(id: DynoId): void {
    this.#dynos.delete(id)
  }

  /** What it was last started with. */
  spec(id: DynoId): DynoSpec | undefined {
    return this.#dynos.get(id)?.spec
  }

  #tell(id: DynoId): void {
    for (const changed of this.#watchers) changed(id)
  }
}
