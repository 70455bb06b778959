/**
 * The machine's table of connections is everybody's, and a packet that finds no room in it is dropped.
 * Each dyno has a bound; so that all that fit on the machine cannot fill it together, the table is made
 * as large as that takes, where the kernel made it smaller. An entry has some 300 bytes, while it is used.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import type { Log } from '../../lib/log.ts'

/** What one dyno may have under way at a time. */
export const CONNECTIONS = 4096
/** Dynos are placed by memory; the smallest quota there is. */
const SMALLEST_DYNO = 512 * 1024 ** 2
/** What all else on the machine finds free, of the whole. */
const FOR_OTHERS = 1 / 4

const TABLE = '/proc/sys/net/netfilter/nf_conntrack_max'

/** Entries. `memory`: the machine's, in bytes. */
export function connectionsNeeded(memory: number): number {
  const dynos = Math.ceil(memory / SMALLEST_DYNO)
  return Math.ceil((dynos * CONNECTIONS) / (1 - FOR_OTHERS))
}

/** Never makes it smaller: others may have made it what it is. */
export function ensureConnectionTable(memory: number, log: Log, file = TABLE): void {
  // Without a rule that asks after connections, there is no table.
  if (!existsSync(file)) return
  const entries = Number(readFileSync(file, 'utf8'))
  const needed = connectionsNeeded(memory)
  // 0: as many as there are.
  if (entries === 0 || entries >= needed) return
  try {
    writeFileSync(file, String(needed))
  } catch (error) {
    log.error(
      `all dynos together could fill this machine's table of connections: sysctl net.netfilter.nf_conntrack_max=${needed}`,
      error,
    )
  }
}
