/**
 * One channel per app: its journal, and the readers who follow it. A line is in the
 * journal before any reader sees it, so the number a reader saw last stays good when this
 * process is killed.
 */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { type AppId, isUuid } from '../model/ids.ts'
import type { Batch, Lines } from './batch.ts'
import { Journal, type Origin } from './journal.ts'

export interface Reader {
  take(batch: Batch): void
  /** The app is gone. */
  end(): void
}

export class Channel {
  readonly app: AppId
  readonly journal: Journal
  readonly readers = new Set<Reader>()

  constructor(app: AppId, journal: Journal) {
    this.app = app
    this.journal = journal
  }

  append(lines: Lines, origin?: Origin): void {
    const batch = this.journal.append(lines, origin)
    if (batch.count === 0) return
    for (const reader of this.readers) reader.take(batch)
  }
}

export class Channels {
  readonly #directory: string
  readonly #open = new Map<AppId, Channel>()

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  of(app: AppId): Channel {
    const open = this.#open.get(app)
    if (open) return open
    const channel = new Channel(app, new Journal(join(this.#directory, app)))
    this.#open.set(app, channel)
    return channel
  }

  /** Every app that has lines here. */
  apps(): AppId[] {
    return readdirSync(this.#directory).filter(isUuid) as AppId[]
  }

  remove(app: AppId): void {
    const channel = this.#open.get(app)
    this.#open.delete(app)
    channel?.journal.close()
    for (const reader of channel?.readers ?? []) reader.end()
    rmSync(join(this.#directory, app), { recursive: true, force: true })
  }
}
