/** What a cgroup's processes use of the machine's memory, of both kinds of cgroup. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { MemoryUse } from '../runtime.ts'

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

/** `stat`: the text of memory.stat, whose words differ between the versions. */
export function memoryFiguresIn(stat: string): MemoryFigures {
  const values = new Map(
    stat.split('\n').map((line) => {
      const [name = '', bytes] = line.split(' ')
      return [name, Number(bytes)] as const
    }),
  )
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
