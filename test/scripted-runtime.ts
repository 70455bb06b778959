/**
 * A runtime whose dynos do what a test says: print, end, get lost. It keeps the port's
 * promises, and a dyno does nothing by itself.
 */

import type { DynoId } from '../src/model/ids.ts'
import type {
  Capacity,
  DynoSpec,
  DynoStatus,
  MemoryUse,
  Output,
  Runtime,
} from '../src/runtime/runtime.ts'

interface Scripted {
  readonly spec: DynoSpec
  printed: Buffer
  status: DynoStatus
}

export class ScriptedRuntime implements Runtime {
  /** Every start that was asked for, repeated ones too. */
  readonly starts: DynoSpec[] = []
  readonly killed: DynoId[] = []
  /** What starting a dyno does in its stead, to fail it. */
  refusal: Error | undefined
  readonly #dynos = new Map<DynoId, Scripted>()

  print(id: DynoId, text: string): void {
    const dyno = this.#dyno(id)
    dyno.printed = Buffer.concat([dyno.printed, Buffer.from(text)])
  }

  end(id: DynoId, status: number, outOfMemory = false): void {
    const at = new Date()
    this.#dyno(id).status = { is: 'exited', startedAt: at, at, status, outOfMemory }
  }

  lose(id: DynoId): void {
    this.#dyno(id).status = { is: 'lost' }
  }

  async prepare(): Promise<void> {}

  async start(spec: DynoSpec): Promise<void> {
    if (this.refusal) throw this.refusal
    this.starts.push(spec)
    if (this.#dynos.has(spec.id)) return
    const startedAt = new Date()
    const status = {
      is: 'running',
      startedAt,
      listening: false,
      terminated: false,
    } as const
    this.#dynos.set(spec.id, { spec, printed: Buffer.alloc(0), status })
  }

  async terminate(id: DynoId): Promise<void> {
    this.end(id, 143)
  }

  async hangUp(id: DynoId): Promise<void> {
    this.end(id, 129)
  }

  async enter(): Promise<void> {}

  async usage(): Promise<ReadonlyMap<DynoId, MemoryUse>> {
    return new Map()
  }

  async runnable(): Promise<ReadonlyMap<DynoId, number>> {
    return new Map()
  }

  async probe(): Promise<undefined> {}

  async capacity(): Promise<Capacity> {
    return { memory: Infinity, disk: Infinity, diskOfDyno: 0 }
  }

  async kill(id: DynoId): Promise<void> {
    this.killed.push(id)
    if (this.#dynos.get(id)?.status.is === 'running') this.end(id, 137)
  }

  async remove(id: DynoId): Promise<void> {
    this.#dynos.delete(id)
  }

  async status(ids: readonly DynoId[]): Promise<ReadonlyMap<DynoId, DynoStatus>> {
    const known = [...this.#dynos].filter(([id]) => ids.includes(id))
    return new Map(known.map(([id, dyno]) => [id, dyno.status]))
  }

  async copyOut(): Promise<boolean> {
    return true
  }

  async removeCopy(): Promise<boolean> {
    return true
  }

  async list(): Promise<readonly DynoId[]> {
    return [...this.#dynos.keys()]
  }

  /** A few bytes at a time, so that readers must ask again. */
  async output(id: DynoId, offset: number): Promise<Output> {
    const piece = this.#dyno(id).printed.subarray(offset, offset + 16)
    return { text: piece.toString(), offset: offset + piece.length }
  }

  watch(): void {}

  #dyno(id: DynoId): Scripted {
    const dyno = this.#dynos.get(id)
    if (!dyno) throw new Error(`there is no dyno ${id}`)
    return dyno
  }
}
