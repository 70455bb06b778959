/**
 * Tables of the kernel's that are everybody's: whoever finds no room in one is refused, or his packet is
 * dropped. Each dyno has a bound; so that all that fit on the machine cannot fill one together, each is made
 * as large as that takes, where the kernel made it smaller. (systemd does so with two of them.) A place
 * costs memory only while it is used.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { MiB } from '../../lib/bytes.ts'
import type { Log } from '../../lib/log.ts'

/** What one dyno may have under way at a time. */
export const CONNECTIONS = 4096
export const TERMINALS = 64
/**
 * Signals queued, and timers. As inotify's, they are counted for root, too, who makes each dyno's user namespace;
 * root is refused where all together have half as many as there may be threads. Of those there are as
 * many as an eighth of the memory holds: 2,048 signals for the smallest dyno's.
 */
export const SIGNALS = 1024
/** Itself, as the machine knows it, and the gateway, as it does. */
const NEIGHBOURS = 2
/** Dynos are placed by memory; the smallest quota there is. */
const SMALLEST_DYNO = 512 * MiB
/** What all else on the machine finds free, of the whole. */
const FOR_OTHERS = 1 / 4
/** Bytes that the kernel takes for each at least, and counts as its dyno's memory. */
const OPEN_FILE = 256
const REQUEST = 32
const INOTIFY_INSTANCE = 512
const WATCH = 64
/** What the kernel takes for those of inotify. */
const MOST = 2 ** 31 - 1

export interface Table {
  readonly setting: string
  readonly what: string
  /** Places. `memory`: the machine's, in bytes. */
  readonly needed: (memory: number) => number
}

export const TABLES: readonly Table[] = [
  {
    setting: 'net.netfilter.nf_conntrack_max',
    what: 'table of connections',
    needed: (memory) => forDynos(memory, CONNECTIONS),
  },
  {
    setting: 'net.ipv4.neigh.default.gc_thresh3',
    what: 'table of neighbours',
    needed: (memory) => forDynos(memory, NEIGHBOURS),
  },
  {
    setting: 'kernel.pty.max',
    what: 'terminals',
    needed: (memory) => forDynos(memory, TERMINALS),
  },
  // Of threads there are as many as an eighth of the memory holds; so many pids the kernel can tell apart.
  { setting: 'kernel.pid_max', what: 'process ids', needed: () => 2 ** 22 },
  {
    setting: 'fs.file-max',
    what: 'open files',
    needed: (memory) => Math.ceil(memory / OPEN_FILE),
  },
  {
    setting: 'fs.aio-max-nr',
    what: 'asynchronous requests to disks',
    needed: (memory) => Math.ceil(memory / REQUEST),
  },
  {
    setting: 'fs.inotify.max_user_instances',
    what: 'instances of inotify',
    needed: (memory) => Math.min(Math.ceil(memory / INOTIFY_INSTANCE), MOST),
  },
  {
    setting: 'fs.inotify.max_user_watches',
    what: 'watches of inotify',
    needed: (memory) => Math.min(Math.ceil(memory / WATCH), MOST),
  },
]

function forDynos(memory: number, each: number): number {
  const dynos = Math.ceil(memory / SMALLEST_DYNO)
  return Math.ceil((dynos * each) / (1 - FOR_OTHERS))
}

/** Never makes one smaller: others may have made it what it is. `below`: where settings are files. */
export function ensureTables(
  memory: number,
  log: Log,
  { tables = TABLES, below = '/proc/sys' } = {},
): void {
  for (const { setting, what, needed } of tables) {
    const file = join(below, ...setting.split('.'))
    // Without a rule that asks after connections, there is no table of them.
    if (!existsSync(file)) continue
    const places = Number(readFileSync(file, 'utf8'))
    // 0, of connections: as many as there are.
    if (places === 0 || places >= needed(memory)) continue
    try {
      writeFileSync(file, String(needed(memory)))
    } catch (error) {
      log.error(
        `all dynos together could use up this machine's ${what}: sysctl ${setting}=${needed(memory)}`,
        error,
      )
    }
  }
}
