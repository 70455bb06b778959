/** What a cgroup's processes use of the machine's memory, of both kinds of cgroup. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { MemoryUse } from '../runtime.ts'

/** Undefined where there is no such cgroup. */
export function memoryUseOf(directory: string, version: 1 | 2): MemoryUse | undefined {
  const stat = textOf(join(directory, 'memory.stat'))
  if (stat === undefined) return undefined
  if (version === 1) return memoryUseIn(stat)
  const swap = Number(textOf(join(directory, 'memory.swap.current')) ?? 0)
  return { ...memoryUseIn(stat), swap }
}

/** `stat`: the text of memory.stat, whose words differ between the versions. */
export function memoryUseIn(stat: string): MemoryUse {
  const values = new Map(
    stat.split('\n').map((line) => {
      const [name = '', bytes] = line.split(' ')
      return [name, Number(bytes)] as const
    }),
  )
  const of = (...names: string[]) =>
    names.map((it) => values.get(it)).find(Number.isFinite)
  return {
    rss: of('total_rss', 'anon') ?? 0,
    cache: of('total_cache', 'file') ?? 0,
    swap: of('total_swap') ?? 0,
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
