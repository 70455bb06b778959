import { parseRouterRecord } from '../src/logs/router-line.ts'
import type { ARouter } from './a-router.ts'
import { untilSeen } from './until.ts'

/** The log's line of the request to this path, query included; of several, the `nth`. */
export async function aRouterLine(
  { records }: ARouter,
  path: string,
  nth = 0,
): Promise<string> {
  const find = () =>
    records
      .map((it) => parseRouterRecord(it)?.message ?? '')
      .filter((it) => it.includes(` path="${path}" `))
      .at(nth)
  return untilSeen(`there is a line for ${path}`, find)
}
