import type { Readable } from 'node:stream'

import { MINUTE } from './clock.ts'

/** Of an upload: nobody's network is silent for longer and then goes on. */
const UPLOAD_PATIENCE = MINUTE

/**
 * The pieces of an upload, until none has come for `patience` milliseconds: then the upload
 * is destroyed, and this throws `Stalled`. While whoever takes the pieces is busy, no time
 * passes.
 */
export async function* unlessStalled(
  upload: Readable,
  patience = UPLOAD_PATIENCE,
): AsyncGenerator<Buffer> {
  const wait = () => setTimeout(() => upload.destroy(new Stalled()), patience)
  let timer = wait()
  try {
    for await (const piece of upload as AsyncIterable<Buffer>) {
      clearTimeout(timer)
      yield piece
      timer = wait()
    }
  } finally {
    clearTimeout(timer)
  }
}

export class Stalled extends Error {
  override readonly name = 'Stalled'

  constructor() {
    super('Nothing more came of an upload.')
  }
}
