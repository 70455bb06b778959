import type { Pool } from 'pg'

import type { BuildId } from '../model/ids.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { addPiece, appendOutput, endOfOutput } from '../store/build-output.ts'
import { buildDynoId } from './build-dyno.ts'

/** Bytes of a build's output that are kept. */
const MOST = 4 * 1024 ** 2
const TRUNCATED =
  '\n !     The build has printed all that is kept of a build: the rest is not shown.\n\n'

/** Hands on what the build dyno has printed since last time, up to now. */
export async function pumpOutput(
  build: BuildId,
  { pool, runtime }: { readonly pool: Pool; readonly runtime: Runtime },
  signal: AbortSignal,
  most = MOST,
): Promise<void> {
  let position = await endOfOutput(pool, build)
  while (position < most) {
    const { text, offset } = await runtime.output(
      buildDynoId({ id: build }),
      position,
      signal,
    )
    if (offset === position) return
    await addPiece(pool, build, { position, text, next: offset })
    position = offset
    if (position >= most) await appendOutput(pool, build, TRUNCATED)
  }
}
