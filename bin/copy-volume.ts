/**
 * Copies a volume, as it was told to by a manager, which it may outlive. It prints nothing, or why
 * the volume is not to be copied; any other failure is an error of this process.
 */

import { deserialize } from 'node:v8'

import { RuntimeError, type Copy } from '../src/runtime/runtime.ts'
import type { Refusal } from '../src/runtime/local/volume-copies.ts'
import { copyVolume } from '../src/runtime/local/volume-disk.ts'

const copy = deserialize(Buffer.from(process.argv[2] ?? '', 'base64')) as Copy
try {
  await copyVolume(copy.from, copy)
} catch (error) {
  if (!(error instanceof RuntimeError)) throw error
  const refusal: Refusal = { code: error.code, message: error.message }
  process.stdout.write(JSON.stringify(refusal))
}
