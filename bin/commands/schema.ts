import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { schemaOfMigrations } from '../../src/installation/schema.ts'
import { withThrowAwayPostgres } from '../../src/installation/throw-away-postgres.ts'
import { parsed } from './arguments.ts'
import { program } from './settings.ts'

/** Writes schema.sql anew from the migrations. */
export async function schema(args: string[]): Promise<void> {
  parsed({ args, options: {} })
  const text = await withThrowAwayPostgres(schemaOfMigrations)
  writeFileSync(join(program, 'schema.sql'), text)
}
