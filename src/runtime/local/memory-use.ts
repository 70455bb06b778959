/** What a cgroup's processes use of the machine's memory, of both kinds of cgroup. */

import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'

import type { MemoryUse } from '../runtime.ts'

/** Bytes of the machine, or of what a container that we ourselves are in may have. */
export function machineMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity)
}

export type MemoryFigures = Omit<MemoryUse, 'outOfMemory'>

/** Undefined where there is no such cgroup. */
export function memoryFiguresOf(
  directory: string,
  version: 1 | 2,
): MemoryFigures | undefined {
  const stat = textOf(join(directory, 'memory.stat'))
  if (stat === undefined) return undefined
  if (version === 1) return memoryFiguresIn(stat)
  const swap = Number(textOf(join(directory, 'memory.swap.current')) ?? 0)
  return { ...memoryFiguresIn(stat), swap }
}

/** Those with `total_` are of version 1, and count what is below too. */
const WANTED =
  /^(anon|file|shmem|total_rss|total_cache|total_shmem|total_swap|total_pgpgin|total_pgpgout) (\d+)$/gm

/** `stat`: the text of memory.stat, whose words differ between the versions. */
export function memoryFiguresIn(stat: string): MemoryFigures {
  const values = new Map<string | undefined, number>()
  for (const [, name, figure] of stat.matchAll(WANTED)) values.set(name, Number(figure))
  const pagesIn = values.get('total_pgpgin')
  const pagesOut = values.get('total_pgpgout')
  return {
    rss: values.get('total_rss') ?? values.get('anon') ?? 0,
    cache: values.get('total_cache') ?? values.get('file') ?? 0,
    shared: values.get('total_shmem') ?? values.get('shmem') ?? 0,
    swap: values.get('total_swap') ?? 0,
    ...(pagesIn !== undefined &&
      pagesOut !== undefined && { pages: { in: pagesIn, out: pagesOut } }),
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENODEV') return undefined
    throw error
  }
}
