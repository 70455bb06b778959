/**
 * Tables of the kernel's that are everybody's: whoever finds no room in one is refused, or his packet is
 * dropped. Each dyno has a bound; so that all that fit on the machine cannot fill one together, each is made
 * as large as that takes, where the kernel made it smaller. (systemd does so with two of them.) A place
 * costs memory only while it is used.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { MiB } from '../../lib/bytes.ts'
import type { Cgroups } from '../../lib/cgroup-mounts.ts'
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
/** A connection that its program closed; the kernel counts one that does not get on as up to four. */
const ORPHAN = 2048 / 4
/** Larger ones make more than is needed of a setting in pages. */
const SMALLEST_PAGE = 4096
/** What the kernel takes for those of inotify, and for orphans. */
const MOST = 2 ** 31 - 1

export interface Table {
  readonly setting: string
  readonly what: string
  /** Places. `memory`: the machine's, in bytes. */
  readonly needed: (memory: number) => number
  /** Of a setting of several numbers: those before this one are left alone. */
  readonly from?: number
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
  {
    setting: 'net.ipv4.tcp_max_orphans',
    what: 'closed connections that still send',
    needed: (memory) => Math.min(Math.ceil(memory / ORPHAN), MOST),
  },
]

/**
 * With cgroups of version 2 what lies in a dyno's sockets is its memory, and only that bounds it; the kernel
 * gives all of the machine's a tenth or two of the memory, and beyond that nobody's get any. (Version 1:
 * `limitTcp` in `cgroups.ts`, which holds for UDP, too.)
 *
 * Of TCP only the last number, beyond which there is none: below that each connection gets its share. The
 * others, from which on buffers grow no further, also hold for the router's, which no cgroup bounds:
 * its clients could take up the machine's memory. UDP gives next to nothing beyond its first.
 */
export const SOCKET_MEMORY: readonly Table[] = [
  { setting: 'net.ipv4.tcp_mem', what: 'memory of TCP', needed: pages, from: 2 },
  { setting: 'net.ipv4.udp_mem', what: 'memory of UDP', needed: pages },
]

export function tablesFor(version: Cgroups['version']): readonly Table[] {
  return version === 2 ? [...TABLES, ...SOCKET_MEMORY] : TABLES
}

function pages(memory: number): number {
  return Math.ceil(memory / SMALLEST_PAGE)
}

function forDynos(memory: number, each: number): number {
  const dynos = Math.ceil(memory / SMALLEST_DYNO)
  return Math.ceil((dynos * each) / (1 - FOR_OTHERS))
}

/**
 * Never makes one smaller: others may have made it what it is. `tables`: see `tablesFor`. `below`: where
 * settings are files.
 */
export function ensureTables(
  memory: number,
  log: Log,
  { tables = TABLES, below = '/proc/sys' } = {},
): void {
  for (const { setting, what, needed, from = 0 } of tables) {
    const file = join(below, ...setting.split('.'))
    // Without a rule that asks after connections, there is no table of them.
    if (!existsSync(file)) continue
    const text = readFileSync(file, 'utf8').trim()
    // 0, of connections: as many as there are.
    if (text === '0') continue
    const least = needed(memory)
    const numbers = text.split(/\s+/).map(Number)
    if (numbers.slice(from).every((it) => it >= least)) continue
    const wanted = numbers.map((it, n) => (n < from ? it : Math.max(it, least))).join(' ')
    try {
      writeFileSync(file, wanted)
    } catch (error) {
      log.error(
        `all dynos together could use up this machine's ${what}: sysctl '${setting}=${wanted}'`,
        error,
      )
    }
  }
}
