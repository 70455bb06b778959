/**
 * Finds the log files of dynos and has each read as it grows. inotify says where to look;
 * a poll every second finds what it missed. Many files are read in turn, a chunk each.
 *
 * When a dyno is removed its file is moved among the `ended`: it is read to its end there,
 * then deleted.
 */

import { type FSWatcher, mkdirSync, readdirSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Pool } from 'pg'

import { type Clock, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type AppId, type DynoId, isUuid } from '../model/ids.ts'
import { loggedDynos } from '../store/log-intake.ts'
import type { Channels } from './channels.ts'
import { CHUNK_BYTES, DynoFile, isMissing } from './dyno-file.ts'
import { serially } from './serially.ts'

/** After so many chunks others may use the processor. */
const CHUNKS_AT_ONCE = 16
const POLL = SECOND

interface Deps {
  readonly pool: Pool
  readonly channels: Channels
  /** One per region: a directory per dyno, in which its `log` is. */
  readonly directories: readonly string[]
  /** `<dyno id>.log`. */
  readonly ended: string
  readonly clock: Clock
  readonly log: Log
}

export class DynoLogFollower {
  readonly #deps: Deps
  readonly #files = new Map<DynoId, DynoFile>()
  /** Directories that are nobody's we log for: of builds, of destroyed apps. */
  readonly #strangers = new Set<DynoId>()
  readonly #watchers = new Map<string, FSWatcher>()
  /** To be read. */
  readonly #grown = new Set<DynoFile>()
  /** To be forgotten when read out, and the file to delete then. */
  readonly #ending = new Map<DynoFile, string | undefined>()
  readonly #scan = serially(() => this.#lookAround())
  #turning = false

  constructor(deps: Deps) {
    this.#deps = deps
    mkdirSync(deps.ended, { recursive: true })
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#scanOrSay()
      for (const file of this.#files.values()) this.#read(file)
      await pause(POLL, signal)
    }
    for (const watcher of this.#watchers.values()) watcher.close()
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
    this.#grown.clear()
  }

  /** Takes in all that the app's dynos have written until now. */
  async drain(app: AppId): Promise<void> {
    await this.#scan()
    const files = [...this.#files.values()].filter((file) => file.dyno.app === app)
    for (const file of files) {
      for (let left = file.unread; left > 0; left -= CHUNK_BYTES) {
        this.#readOne(file)
        await nextTurn()
      }
    }
  }

  /** The app is gone. */
  drop(app: AppId): void {
    for (const file of this.#files.values()) if (file.dyno.app === app) this.#close(file)
  }

  async #scanOrSay(): Promise<void> {
    try {
      await this.#scan()
    } catch (error) {
      this.#deps.log.error('cannot look for the log files of dynos', error)
    }
  }

  async #lookAround(): Promise<void> {
    const { directories, ended } = this.#deps
    for (const directory of [...directories, ended]) {
      this.#watch(directory, () => void this.#scanOrSay())
    }
    // In this order: a file that is moved meanwhile is seen in both, not in neither.
    const living = new Map(directories.flatMap(dynosIn))
    const over = new Map(endedIn(ended))
    await this.#meet([...living.keys(), ...over.keys()], (id) => living.get(id))

    for (const [id, path] of over) {
      const file = this.#files.get(id)
      if (!file) rmSync(path, { force: true })
      else {
        file.move(path)
        this.#end(file, path)
      }
    }
    for (const [id, file] of this.#files) {
      if (!living.has(id) && !over.has(id)) this.#end(file)
    }
    for (const id of this.#strangers) if (!living.has(id)) this.#strangers.delete(id)
  }

  /** Begins to follow those that are dynos of apps. */
  async #meet(
    ids: readonly DynoId[],
    directoryOf: (id: DynoId) => string | undefined,
  ): Promise<void> {
    const { pool, channels, ended, clock } = this.#deps
    const fresh = ids.filter((id) => !this.#files.has(id) && !this.#strangers.has(id))
    if (fresh.length === 0) return
    const dynos = await loggedDynos(pool, fresh)
    for (const id of fresh) this.#strangers.add(id)
    for (const dyno of dynos) {
      this.#strangers.delete(dyno.id)
      const directory = directoryOf(dyno.id)
      const path = directory ? join(directory, 'log') : join(ended, `${dyno.id}.log`)
      const file = new DynoFile(dyno, path, channels.of(dyno.app), clock)
      this.#files.set(dyno.id, file)
      if (directory) this.#watch(directory, () => this.#read(file))
      this.#read(file)
    }
  }

  #watch(directory: string, changed: () => void): void {
    if (this.#watchers.has(directory)) return
    try {
      const watcher = watch(directory, changed)
      watcher.on('error', () => this.#unwatch(directory))
      this.#watchers.set(directory, watcher)
    } catch (error) {
      // Not there yet, or no watch is to be had: the poll finds what it holds.
      if (!isMissing(error)) this.#deps.log.error('cannot watch', error, { directory })
    }
  }

  #unwatch(directory: string): void {
    this.#watchers.get(directory)?.close()
    this.#watchers.delete(directory)
  }

  #end(file: DynoFile, path?: string): void {
    this.#ending.set(file, path)
    this.#read(file)
  }

  #read(file: DynoFile): void {
    this.#grown.add(file)
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#turning = false
    for (let chunks = 0; chunks < CHUNKS_AT_ONCE; chunks += 1) {
      const [file] = this.#grown
      if (!file) return
      this.#grown.delete(file)
      if (this.#readOne(file)) this.#grown.add(file)
    }
    const [file] = this.#grown
    if (file) this.#read(file)
  }

  /** Says whether there is more at once. */
  #readOne(file: DynoFile): boolean {
    if (this.#files.get(file.dyno.id) !== file) return false
    try {
      const more = file.readSome()
      if (!more && this.#ending.has(file)) this.#bury(file)
      return more
    } catch (error) {
      this.#deps.log.error("cannot read a dyno's log", error, { dyno: file.dyno.id })
      return false
    }
  }

  #bury(file: DynoFile): void {
    const path = this.#ending.get(file)
    file.finish()
    if (path) rmSync(path, { force: true })
    this.#deps.channels.of(file.dyno.app).journal.forget(file.dyno.id)
    this.#close(file)
  }

  #close(file: DynoFile): void {
    const { id } = file.dyno
    file.close()
    this.#ending.delete(file)
    this.#files.delete(id)
    for (const directory of this.#deps.directories) this.#unwatch(join(directory, id))
  }
}

function dynosIn(directory: string): [DynoId, string][] {
  return namesIn(directory)
    .filter(isUuid)
    .map((name) => [name as DynoId, join(directory, name)])
}

function endedIn(directory: string): [DynoId, string][] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.log') && isUuid(name.slice(0, -'.log'.length)))
    .map((name) => [name.slice(0, -'.log'.length) as DynoId, join(directory, name)])
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
