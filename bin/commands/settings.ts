import { join } from 'node:path'

import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import { type PartSpec, partsOf } from '../../src/installation/parts.ts'

export const program = join(import.meta.dirname, '../..')

/** The user's own PostgreSQL, if there is one. */
export const databaseUrl = process.env['DATABASE_URL']

export function partsHere(data: DataDirectory, installation: Installation): PartSpec[] {
  return partsOf({ data, installation, program, databaseUrl })
}
