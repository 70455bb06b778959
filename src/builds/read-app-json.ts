import { join } from 'node:path'

import { UnsafeFile } from '../lib/open-plain-file.ts'
import { readSmallFile } from '../lib/read-small-file.ts'
import { type HealthCheckWishes, readHealthChecks } from '../model/health-check.ts'

const LIMIT = 64 * 1024

/**
 * What the app.json of a compiled app asks for. It may be anything, and never fails a
 * build: each fault is a sentence about it, to be told.
 */
export async function readAppJson(app: string): Promise<HealthCheckWishes> {
  try {
    const text = await readSmallFile(join(app, 'app.json'), LIMIT)
    const { checks, faults } = readHealthChecks(JSON.parse(text ?? '{}'))
    return { checks, faults: faults.map((fault) => `app.json: ${fault}`) }
  } catch (error) {
    if (error instanceof UnsafeFile) return nothingBut(`app.json ${error.message}`)
    if (error instanceof SyntaxError) return nothingBut('app.json is not JSON')
    throw error
  }
}

function nothingBut(fault: string): HealthCheckWishes {
  return { checks: {}, faults: [`${fault}, and is ignored.`] }
}
