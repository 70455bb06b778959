/**
 * What each part may do in the database: what the statements do that it can get to, and no more.
 * grants.sql has it, so that whoever changes a statement sees whose rights it widens.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { inTransaction, type Database } from '../store/queryable.ts'
import { reachableDeclarations } from './reachable-declarations.ts'
import { PART_ROLES } from './roles.ts'
import { type Needs, statementNeeds } from './statement-needs.ts'

const program = join(import.meta.dirname, '../..')

/** grants.sql as the programs need it. `schema`: the text of schema.sql. */
export function grantsOfPrograms(schema: string): string {
  const tables = new Set(
    [...schema.matchAll(/^CREATE (?:UNLOGGED )?TABLE public\.(\w+)/gm)].map(
      ([, name = '']) => name,
    ),
  )
  const sections = PART_ROLES.map(({ role, entries }) => {
    const texts = entries.flatMap((it) => reachableDeclarations(join(program, it)))
    return `-- ${role}: ${entries.join(', ')}\n${grants(role, statementNeeds(texts, tables))}`
  })
  return `-- What each part may do in the database. Written by ./mayfly schema.\n\n${sections.join('\n')}`
}

function grants(role: string, needs: Needs): string {
  return [...needs]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([table, verbs]) => {
      const updated = [...(verbs.get('update') ?? [])].toSorted()
      // To lock a row one has to be allowed to update something of it.
      const columns = updated.length > 0 || !verbs.has('lock') ? updated : ['updated_at']
      const rights = [
        ...(['select', 'insert', 'delete'] as const).filter((it) => verbs.has(it)),
        ...(columns.length > 0 ? [`update (${columns.join(', ')})`] : []),
      ]
      return `grant ${rights.join(', ')} on ${table} to ${role};\n`
    })
    .join('')
}

/** Gives the roles what grants.sql says, and takes what it does not. `pool`: the owner's. */
export async function applyGrants(pool: Database): Promise<void> {
  const text = readFileSync(join(program, 'grants.sql'), 'utf8')
  const roles = PART_ROLES.map(({ role }) => role).join(', ')
  await inTransaction(pool, async (tx) => {
    await tx.query(`revoke all on all tables in schema public from ${roles}`)
    await tx.query(text)
  })
}
