import { join } from 'node:path'

import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import { mustKeepItsDatabase } from '../../src/installation/decide-installation.ts'
import { type PartSpec, partsOf } from '../../src/installation/parts.ts'

export const program = join(import.meta.dirname, '../..')

/** The user's own PostgreSQL, if there is one; an empty one names none. */
export const databaseUrl = process.env['DATABASE_URL'] || undefined

/** Root's, as this program is. */
const compileCache = process.env['NODE_COMPILE_CACHE'] || undefined

/** A Refusal where DATABASE_URL, by being there or not, says another database than the installation's. */
export function databaseMustBeIts(installation: Installation): void {
  mustKeepItsDatabase(installation, { databaseElsewhere: databaseUrl !== undefined })
}

export function partsHere(data: DataDirectory, installation: Installation): PartSpec[] {
  return partsOf({ data, installation, program, databaseUrl, compileCache })
}
