/** This machine cannot be started anew: what tells in which boot a dyno began is made to name another instead. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import type { DynoFiles } from '../src/runtime/local/dyno-files.ts'

export function makeOfAnEarlierBoot({
  record,
  started,
}: Pick<DynoFiles, 'record' | 'started'>): void {
  for (const file of [record, started].filter((it) => existsSync(it))) {
    const its: unknown = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...(its as object), boot: 'before' }))
  }
}
