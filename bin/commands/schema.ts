import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { grantsOfPrograms } from '../../src/installation/grants.ts'
import { schemaOfMigrations } from '../../src/installation/schema.ts'
import { withThrowAwayPostgres } from '../../src/installation/throw-away-postgres.ts'
import { parsed } from './arguments.ts'
import { program } from './settings.ts'

/** Writes schema.sql anew from the migrations, and grants.sql from the programs. */
export async function schema(args: string[]): Promise<void> {
  parsed({ args, options: {} })
  const text = await withThrowAwayPostgres(schemaOfMigrations)
  writeFileSync(join(program, 'schema.sql'), text)
  writeFileSync(join(program, 'grants.sql'), grantsOfPrograms(text))
}
