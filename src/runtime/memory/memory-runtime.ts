import type { Clock } from '../../lib/clock.ts'
import type { DynoId } from '../../model/ids.ts'
import {
  type Capacity,
  type Copy,
  type DynoSpec,
  type DynoStatus,
  type Entry,
  LARGEST_OUTPUT,
  type MemoryUse,
  type Output,
  type Probe,
  type Runtime,
  RuntimeError,
} from '../runtime.ts'

const SIGHUP_STATUS = 129
const SIGTERM_STATUS = 143
const SIGKILL_STATUS = 137

export interface MemoryRuntimeOptions {
  /** What a started dyno does at first. Default: its port is bound at once. */
  readonly boot?: (dyno: DynoSpec) => 'listens' | 'waits' | { readonly exits: number }
  /** What a start waits for, as `created`. Default: nothing. */
  readonly turn?: (dyno: DynoSpec) => Promise<void>
  /** Whether SIGTERM ends it, with status 143. Default: yes. */
  readonly heedsSigterm?: (dyno: DynoSpec) => boolean
  /** Whether SIGHUP ends it, with status 129. Default: yes. */
  readonly heedsSighup?: (dyno: DynoSpec) => boolean
  /** What a listening dyno answers, if it does. Default: 200. */
  readonly answers?: (dyno: DynoSpec, path: string) => number | undefined
  /** Bytes. Default: Infinity. */
  readonly memory?: number
}

interface MemoryDyno {
  readonly spec: DynoSpec
  status: DynoStatus
  output: string
  runnable: number
  use: MemoryUse
  hangUps: number
  readonly entries: Map<string, Entry>
}

/**
 * A real driver whose dynos are map entries: what tests and simulations run on. It passes
 * the same contract as the others. What a process would do by itself is done to it from
 * outside: `listen`, `exit`, `print`, `lose`.
 */
export class MemoryRuntime implements Runtime {
  readonly #clock: Clock
  readonly #does: Required<Omit<MemoryRuntimeOptions, 'turn'>>
  readonly #turn: MemoryRuntimeOptions['turn']
  readonly #dynos = new Map<DynoId, MemoryDyno>()
  readonly #watchers = new Set<(id: DynoId) => void>()

  constructor(clock: Clock, { turn, ...options }: MemoryRuntimeOptions = {}) {
    this.#clock = clock
    this.#turn = turn
    this.#does = {
      boot: () => 'listens',
      heedsSigterm: () => true,
      heedsSighup: () => true,
      answers: () => 200,
      memory: Infinity,
      ...options,
    }
  }

  async prepare(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }

  async start(spec: DynoSpec, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#turn) await this.#awaitTurn(spec, this.#turn(spec), signal)
    const present = this.#dynos.get(spec.id)
    if (present && present.status.is !== 'created') return
    const boot = this.#does.boot(spec)
    this.#dynos.set(
      spec.id,
      aMemoryDyno(spec, {
        is: 'running',
        startedAt: this.#clock.now(),
        listening: boot === 'listens' && spec.port !== undefined,
        terminated: false,
      }),
    )
    if (typeof boot === 'object') this.exit(spec.id, boot.exits)
    else this.#tell(spec.id)
  }

  async terminate(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const dyno = this.#dynos.get(id)
    if (dyno?.status.is !== 'running' || dyno.status.terminated) return
    dyno.status = { ...dyno.status, terminated: true }
    if (this.#does.heedsSigterm(dyno.spec)) this.exit(id, SIGTERM_STATUS)
  }

  async hangUp(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const dyno = this.#running(id)
    if (!dyno) return
    dyno.hangUps++
    if (this.#does.heedsSighup(dyno.spec)) this.exit(id, SIGHUP_STATUS)
  }

  async kill(id: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { outOfMemory = false } = this.#running(id)?.use ?? {}
    this.exit(id, SIGKILL_STATUS, { outOfMemory })
  }

  async enter(id: DynoId, entry: Entry, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const dyno = this.#running(id)
    if (!dyno) throw new RuntimeError('not_running', `Dyno ${id} does not run.`)
    dyno.entries.set(entry.id, entry)
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

  async usage(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, MemoryUse>> {
    signal.throwIfAborted()
    const running = ids.map((id) => [id, this.#running(id)?.use] as const)
    return new Map(running.flatMap(([id, use]) => (use ? [[id, use]] : [])))
  }

  async runnable(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, number>> {
    signal.throwIfAborted()
    const running = ids.flatMap((id) => this.#running(id) ?? [])
    return new Map(running.map((it) => [it.spec.id, it.runnable]))
  }

  async probe(
    id: DynoId,
    { path }: Probe,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    signal.throwIfAborted()
    const dyno = this.#running(id)
    const listens = dyno?.status.is === 'running' && dyno.status.listening
    return listens ? this.#does.answers(dyno.spec, path) : undefined
  }

  async capacity(signal: AbortSignal): Promise<Capacity> {
    signal.throwIfAborted()
    return { memory: this.#does.memory, disk: Infinity, diskOfDyno: 0 }
  }

  /** Its dynos write no files. */
  async copyOut(_: Copy, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    return true
  }

  async removeCopy(_: Omit<Copy, 'most'>, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    return true
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

  /** The dyno prints; to its client, if it is for one. */
  print(id: DynoId, text: string): void {
    const dyno = this.#dynos.get(id)
    if (dyno && !dyno.spec.attachment) dyno.output += text
  }

  /** The dyno uses so much memory from now on. */
  use(id: DynoId, use: Partial<MemoryUse>): void {
    const dyno = this.#dynos.get(id)
    if (dyno) dyno.use = { ...dyno.use, ...use }
  }

  /** So many of the dyno's tasks want a processor from now on. */
  work(id: DynoId, runnable: number): void {
    const dyno = this.#dynos.get(id)
    if (dyno) dyno.runnable = runnable
  }

  /** The dyno is gone and nothing tells how it ended. */
  lose(id: DynoId): void {
    const dyno = this.#dynos.get(id)
    if (dyno) dyno.status = { is: 'lost' }
  }

  /** Starting it was interrupted half-way: `start` goes on from there. */
  halfStart(spec: DynoSpec): void {
    this.#dynos.set(spec.id, aMemoryDyno(spec, { is: 'created' }))
  }

  /** The machine lost all trace of the dyno, as if `remove` had been called. */
  forget(id: DynoId): void {
    this.#dynos.delete(id)
  }

  /** What it was last started with. */
  spec(id: DynoId): DynoSpec | undefined {
    return this.#dynos.get(id)?.spec
  }

  isRunning(id: DynoId): boolean {
    return this.#running(id) !== undefined
  }

  /** How often SIGHUP was sent to it. */
  hangUps(id: DynoId): number {
    return this.#dynos.get(id)?.hangUps ?? 0
  }

  /** What was started inside it. */
  entries(id: DynoId): readonly Entry[] {
    return [...(this.#dynos.get(id)?.entries.values() ?? [])]
  }

  async #awaitTurn(
    spec: DynoSpec,
    turn: Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#dynos.has(spec.id)) this.halfStart(spec)
    await turn
    signal.throwIfAborted()
    if (!this.#dynos.has(spec.id)) {
      throw new RuntimeError(
        'failed',
        `Dyno ${spec.id} was removed before it was started.`,
      )
    }
  }

  #running(id: DynoId): MemoryDyno | undefined {
    const dyno = this.#dynos.get(id)
    return dyno?.status.is === 'running' ? dyno : undefined
  }

  #tell(id: DynoId): void {
    for (const changed of this.#watchers) changed(id)
  }
}

function aMemoryDyno(spec: DynoSpec, status: DynoStatus): MemoryDyno {
  const use = { rss: 0, cache: 0, shared: 0, swap: 0, outOfMemory: false }
  return { spec, status, output: '', use, runnable: 0, hangUps: 0, entries: new Map() }
}
