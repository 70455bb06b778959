/** What the memory watch says in an app's log, as Heroku does ("Heroku Error Codes", "Log Runtime Metrics"). */

import { MiB } from '../lib/bytes.ts'
import type { AppId, DynoId } from './ids.ts'
import type { LoadAverage } from './load-average.ts'
import type { Size } from './size.ts'

export const OVER_QUOTA = 'Error R14 (Memory quota exceeded)'

/** `share`: of the quota, as the app's owner set it. */
export function restartingAbove(share: number): string {
  return `Memory is above ${Math.round(100 * share)}% of the quota (MAYFLY_MEMORY_RESTART)`
}

export interface MemorySample {
  readonly rss: number
  readonly cache: number
  readonly swap: number
  readonly pages?: { readonly in: number; readonly out: number }
}

/** With the feature `log-runtime-metrics`. `ps`: `web.1`. */
export function memoryMetrics(
  dyno: { readonly app: AppId; readonly id: DynoId; readonly ps: string },
  { rss, cache, swap, pages }: MemorySample,
  size: Size,
): string {
  return [
    `source=${dyno.ps}`,
    `dyno=heroku.${dyno.app}.${dyno.id}`,
    `sample#memory_total=${megabytes(rss + cache + swap)}`,
    `sample#memory_rss=${megabytes(rss)}`,
    `sample#memory_cache=${megabytes(cache)}`,
    `sample#memory_swap=${megabytes(swap)}`,
    ...(pages
      ? [
          `sample#memory_pgpgin=${pages.in}pages`,
          `sample#memory_pgpgout=${pages.out}pages`,
        ]
      : []),
    `sample#memory_quota=${megabytes(size.memory)}`,
  ].join(' ')
}

/** With the same feature, once there was more than one sample. */
export function loadMetrics(
  dyno: { readonly app: AppId; readonly id: DynoId; readonly ps: string },
  { one, five, fifteen }: LoadAverage,
): string {
  return [
    `source=${dyno.ps}`,
    `dyno=heroku.${dyno.app}.${dyno.id}`,
    `sample#load_avg_1m=${one.toFixed(2)}`,
    `sample#load_avg_5m=${five.toFixed(2)}`,
    `sample#load_avg_15m=${fifteen.toFixed(2)}`,
  ].join(' ')
}

function megabytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(2)}MB`
}
