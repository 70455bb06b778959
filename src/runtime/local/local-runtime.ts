/**
 * Dynos on this machine, by crun and conmon. What is true is read from the region's
 * directory (`dyno-files.ts`) and from /proc; nothing that matters is kept in memory, so
 * this process may be killed between any two steps.
 */

import { existsSync } from 'node:fs'
import { open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { atMost } from '../../lib/at-most.ts'
import { OneAtATime } from '../../lib/one-at-a-time.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
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
import { diskCapacity } from './disk-capacity.ts'
import { decodeOutput } from './dyno-output.ts'
import { dynoStatus, recordOf } from './dyno-status.ts'
import { enterDyno, notRunning } from './enter-dyno.ts'
import { httpProbe } from './http-probe.ts'
import { keepUp } from './keep-up.ts'
import { machineMemory } from './memory-use.ts'
import { noteIfListening } from './port-probe.ts'
import { isRunnable } from './process-status.ts'
import { prepareRegion, sweepRegion } from './prepare-region.ts'
import { type LocalRegion, localRegion, type LocalRuntimeOptions } from './region.ts'
import { killProcesses, removeDyno, signalProcesses } from './remove-dyno.ts'
import { startDyno } from './start-dyno.ts'
import { slugVerifier, type VerifySlug } from './verify-slug.ts'
import { VolumeCopies } from './volume-copies.ts'
import { type DynoWatch, watchDynos } from './watch-dynos.ts'

/**
 * Forty dynos started all at once are each as slow as the last one; so, the first are up while
 * the rest wait, and all are done sooner.
 */
const STARTS_AT_A_TIME = 8
const READS_IN_A_ROW = 20

export class LocalRuntime implements Runtime {
  readonly #region: LocalRegion
  readonly #startInTurn = atMost(STARTS_AT_A_TIME)
  readonly #verifySlug: VerifySlug
  readonly #copies = new VolumeCopies()
  readonly #disk: ReturnType<typeof diskCapacity>
  readonly #watchers = new Set<(id: DynoId) => void>()
  readonly #watches = new Set<DynoWatch>()
  /** How many starts of each are under way: who waits for its turn has no files yet. */
  readonly #starting = new Map<DynoId, number>()
  /** How many removals: what has not begun by then is not begun any more. */
  readonly #removing = new Map<DynoId, number>()
  /** What is being done to a dyno at this moment. */
  readonly #underWay = new OneAtATime<DynoId>()
  /**
   * Who enters one. Nothing else that is done to it waits for them: a dyno can stop what enters it, and is to
   * be ended all the same.
   */
  readonly #entering = new OneAtATime<DynoId>()

  /** Before anything was started by us, nothing half-made can be ours. */
  #swept = false

  constructor(options: LocalRuntimeOptions) {
    this.#region = localRegion(options)
    this.#verifySlug = slugVerifier(this.#region, (askers) => {
      for (const changed of this.#watchers) askers.forEach(changed)
    })
    this.#disk = diskCapacity(this.#region.files)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await toldAsRuntimeError('prepare the machine', signal, async () => {
      await prepareRegion(this.#region, signal)
      if (!this.#swept) await sweepRegion(this.#region)
      this.#swept = true
    })
  }

  async start(dyno: DynoSpec, signal: AbortSignal): Promise<void> {
    await counted(this.#starting, dyno.id, () =>
      this.#oneAtATime(dyno.id, `start dyno ${dyno.id}`, signal, async () => {
        if (!dynoStatus(this.#region, dyno.id)) this.#verifySlug(dyno)
        await this.#startInTurn(async () => {
          signal.throwIfAborted()
          if (this.#removing.has(dyno.id)) throw calledOff(dyno.id)
          await startDyno(this.#region, dyno, signal)
        })
      }),
    )
    if (dyno.port !== undefined) {
      for (const watch of this.#watches) watch.expectListening(dyno.id)
    }
  }

  async terminate(id: DynoId, signal: AbortSignal): Promise<void> {
    await this.#oneAtATime(id, `terminate dyno ${id}`, signal, async () => {
      const status = dynoStatus(this.#region, id)
      if (status?.is !== 'running' || status.terminated) return
      await signalProcesses(this.#region, id, 'SIGTERM')
      await writeFile(this.#region.files.of(id).terminated, '')
    })
  }

  async hangUp(id: DynoId, signal: AbortSignal): Promise<void> {
    await this.#oneAtATime(id, `hang up on dyno ${id}`, signal, async () => {
      if (dynoStatus(this.#region, id)?.is !== 'running') return
      await signalProcesses(this.#region, id, 'SIGHUP')
    })
  }

  async kill(id: DynoId, signal: AbortSignal): Promise<void> {
    await this.#oneAtATime(id, `kill dyno ${id}`, signal, async () =>
      killProcesses(this.#region, id),
    )
  }

  async enter(id: DynoId, entry: Entry, signal: AbortSignal): Promise<void> {
    await this.#entering.do(id, signal, () =>
      toldAsRuntimeError(`enter dyno ${id}`, signal, async () => {
        if (this.#removing.has(id)) throw notRunning(id)
        await enterDyno(this.#region, id, entry)
      }),
    )
  }

  async remove(id: DynoId, signal: AbortSignal): Promise<void> {
    await counted(this.#removing, id, () =>
      this.#oneAtATime(id, `remove dyno ${id}`, signal, async () => {
        // Who is entering it would make anew what is removed. Killed, it keeps none of them.
        killProcesses(this.#region, id)
        await this.#entering.do(id, signal, async () => {})
        await removeDyno(this.#region, id)
      }),
    )
  }

  async status(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, DynoStatus>> {
    signal.throwIfAborted()
    const found = await Promise.all(
      ids.map(async (id) => [id, await this.#statusOf(id)] as const),
    )
    return new Map(found.flatMap(([id, status]) => (status ? [[id, status]] : [])))
  }

  async usage(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, MemoryUse>> {
    signal.throwIfAborted()
    const found = new Map<DynoId, MemoryUse>()
    for (const [at, id] of ids.entries()) {
      // Others must get a turn: a read of a cgroup's figures takes the kernel a while.
      if (at % READS_IN_A_ROW === READS_IN_A_ROW - 1) await setImmediate()
      if (existsSync(this.#region.files.of(id).exit)) continue
      const use = this.#region.cgroupsOf(id).memoryUse()
      if (use) found.set(id, use)
    }
    return found
  }

  async runnable(
    ids: readonly DynoId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, number>> {
    signal.throwIfAborted()
    const found = new Map<DynoId, number>()
    for (const id of ids) {
      await setImmediate()
      if (existsSync(this.#region.files.of(id).exit)) continue
      const tasks = this.#region.cgroupsOf(id).tasks()
      let its = 0
      for (const [at, task] of tasks.entries()) {
        // A dyno may have thousands of threads.
        if (at % READS_IN_A_ROW === READS_IN_A_ROW - 1) await setImmediate()
        if (isRunnable(task)) its += 1
      }
      if (tasks.length > 0) found.set(id, its)
    }
    return found
  }

  async probe(
    id: DynoId,
    probe: Probe,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    signal.throwIfAborted()
    const record = recordOf(this.#region.files.of(id))
    if (record?.port === undefined) return undefined
    return httpProbe({ host: record.address, port: record.port }, probe, signal)
  }

  async capacity(signal: AbortSignal): Promise<Capacity> {
    signal.throwIfAborted()
    return { memory: machineMemory(), ...(await this.#disk()) }
  }

  async #statusOf(id: DynoId): Promise<DynoStatus | undefined> {
    const status = dynoStatus(this.#region, id)
    if (!status && this.#starting.has(id)) return { is: 'created' }
    if (status?.is !== 'running' || status.listening) return status
    return { ...status, listening: await noteIfListening(this.#region.files.of(id)) }
  }

  async list(signal: AbortSignal): Promise<readonly DynoId[]> {
    signal.throwIfAborted()
    const names = await readdir(this.#region.files.directory)
    return names.filter((name) => isUuid(name)).map((name) => name as DynoId)
  }

  async copyOut(copy: Copy, signal: AbortSignal): Promise<boolean> {
    return toldAsRuntimeError(`copy ${copy.from}`, signal, () =>
      this.#copies.copy(this.#withRoot(copy), signal),
    )
  }

  async removeCopy(copy: Omit<Copy, 'most'>, signal: AbortSignal): Promise<boolean> {
    return toldAsRuntimeError(`remove ${copy.to}`, signal, () =>
      this.#copies.remove(this.#withRoot(copy), signal),
    )
  }

  #withRoot<Its extends Omit<Copy, 'most'>>(copy: Its): Its {
    const { root } = this.#region
    return { ...copy, from: join(root, copy.from), to: join(root, copy.to) }
  }

  /** An offset is a place in the dyno's log, between two records. */
  async output(id: DynoId, offset: number, signal: AbortSignal): Promise<Output> {
    signal.throwIfAborted()
    const log = await open(this.#region.files.of(id).log).catch(nothingThere)
    if (!log) return { text: '', offset }
    try {
      const { size } = await log.stat()
      const start = size < offset ? 0 : offset // it was full, and this is the next one
      const buffer = Buffer.alloc(LARGEST_OUTPUT)
      const { bytesRead } = await log.read(buffer, 0, LARGEST_OUTPUT, start)
      const { text, used } = decodeOutput(buffer.subarray(0, bytesRead))
      return { text, offset: start + used }
    } finally {
      await log.close()
    }
  }

  watch(changed: (id: DynoId) => void, signal: AbortSignal): void {
    if (signal.aborted) return
    void keepUp(this.#region, signal)
    const watch = watchDynos(this.#region, changed, signal)
    this.#watchers.add(changed)
    this.#watches.add(watch)
    const leave = () => {
      this.#watchers.delete(changed)
      this.#watches.delete(watch)
    }
    signal.addEventListener('abort', leave, { once: true })
    void this.#expectBooting(watch, signal)
  }

  /** A manager before us may have started web dynos that do not listen yet. */
  async #expectBooting(watch: DynoWatch, signal: AbortSignal): Promise<void> {
    try {
      for (const id of await this.list(signal)) {
        if (recordOf(this.#region.files.of(id))?.port) watch.expectListening(id)
      }
    } catch (error) {
      if (!signal.aborted) this.#region.log.error('cannot list dynos', error)
    }
  }

  #oneAtATime(
    id: DynoId,
    what: string,
    signal: AbortSignal,
    work: () => Promise<void>,
  ): Promise<void> {
    return this.#underWay.do(id, signal, () => toldAsRuntimeError(what, signal, work))
  }
}

/** Runs the work; what goes wrong in it is a RuntimeError, unless it was called off. */
async function toldAsRuntimeError<T>(
  what: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  try {
    return await work()
  } catch (error) {
    if (error instanceof RuntimeError || signal.aborted) throw error
    throw new RuntimeError('failed', `Cannot ${what}.`, error)
  }
}

async function counted(
  counts: Map<DynoId, number>,
  id: DynoId,
  work: () => Promise<void>,
): Promise<void> {
  counts.set(id, (counts.get(id) ?? 0) + 1)
  try {
    await work()
  } finally {
    const left = (counts.get(id) ?? 0) - 1
    if (left > 0) counts.set(id, left)
    else counts.delete(id)
  }
}

function calledOff(id: DynoId): RuntimeError {
  return new RuntimeError('failed', `Dyno ${id} was removed before it was started.`)
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
