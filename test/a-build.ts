/** What a build's look needs, where there is room for every build, and what is kept of one. */

import type { Pool } from 'pg'

import type { BuildDeps } from '../src/builds/build-deps.ts'
import type { DataDirectory } from '../src/installation/data-directory.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import type { BuildId } from '../src/model/ids.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { outputFrom } from '../src/store/output.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { secrets } from './an-app.ts'

export function buildDeps(pool: Pool, runtime: Runtime, data: DataDirectory): BuildDeps {
  return {
    pool,
    runtime,
    secrets,
    clock: systemClock,
    data,
    uploaders: [process.getuid?.() ?? 0],
    log: silentLog,
    region: 'us',
    builtIns: 'buildpacks/x',
    buildEnvironment: {},
    placeBuild: (begin) => inTransaction(pool, begin).then(() => true),
  }
}

/** All of it. */
export async function outputOf(
  pool: Pool,
  build: { readonly id: BuildId },
): Promise<string> {
  let text = ''
  for (let at = 0; ;) {
    const pieces = await outputFrom(pool, { build: build.id }, at)
    if (pieces.length === 0) return text
    text += pieces.map((piece) => piece.text).join('')
    at = pieces.at(-1)?.next ?? at
  }
}
