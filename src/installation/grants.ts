/**
 * What each part may do in the database: what the statements do that it can get to, and no more.
 * grants.sql has it, so that whoever changes a statement sees whose rights it widens.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { inTransaction, type Database } from '../store/queryable.ts'
import { reachableDeclarations } from './reachable-declarations.ts'
import { PART_ROLES } from './roles.ts'
import {
  type ColumnsOfTable,
  namedColumns,
  type Needs,
  statementNeeds,
} from './statement-needs.ts'

/** What is worth most to whoever reads it: only a part of which a statement names it may. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  acme_accounts: ['private_key'],
  acme_orders: ['private_key'],
  authorizations: ['token_sha256'],
  browser_logins: ['cli_sha256', 'page_sha256'],
  builds: ['source_url', 'unsealed_source_url'],
  entries: ['environment', 'attach_secret_sha256'],
  exec_reservations: ['environment'],
  one_offs: ['environment', 'attach_secret_sha256'],
  passwords: ['hash'],
  recovery_codes: ['sha256'],
  releases: ['config_vars'],
  sni_endpoints: ['private_key'],
  sources: ['put_token_sha256', 'get_token_sha256'],
  two_factors: ['secret'],
  webhooks: ['secret', 'authorization_header'],
}

const program = join(import.meta.dirname, '../..')

/** grants.sql as the programs need it. `schema`: the text of schema.sql. */
export function grantsOfPrograms(schema: string): string {
  const columns = columnsOf(schema)
  const tables = new Set(columns.keys())
  const sections = PART_ROLES.map(({ role, entries }) => {
    const texts = entries.flatMap((it) => reachableDeclarations(join(program, it)))
    const readable = (table: string) =>
      readableColumns(texts, { table, columns: columns.get(table) ?? [], tables })
    const needs = statementNeeds(texts, tables)
    return `-- ${role}: ${entries.join(', ')}\n${grants(role, needs, readable)}`
  })
  return `-- What each part may do in the database. Written by ./mayfly schema.\n\n${sections.join('\n')}`
}

/** Of each table. */
function columnsOf(schema: string): Map<string, string[]> {
  const tables = schema.matchAll(
    /^CREATE (?:UNLOGGED )?TABLE public\.(\w+) \(([^]*?)^\)/gm,
  )
  return new Map(
    [...tables].map(([, table = '', body = '']) => [
      table,
      [...body.matchAll(/^ {4}(?!CONSTRAINT)("?\w+"?) /gm)].map(([, it = '']) => it),
    ]),
  )
}

/** Undefined: all. */
function readableColumns(
  texts: readonly string[],
  { table, columns, tables }: ColumnsOfTable,
): readonly string[] | undefined {
  const secrets = SECRETS[table] ?? []
  const named = namedColumns(texts, { table, columns: secrets, tables })
  const hidden = secrets.filter((it) => !named.has(it))
  return hidden.length > 0 ? columns.filter((it) => !hidden.includes(it)) : undefined
}

function grants(
  role: string,
  needs: Needs,
  readable: (table: string) => readonly string[] | undefined,
): string {
  return [...needs]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([table, verbs]) => {
      const updated = [...(verbs.get('update') ?? [])].toSorted()
      // To lock a row one has to be allowed to update something of it.
      const columns = updated.length > 0 || !verbs.has('lock') ? updated : ['updated_at']
      const rights = [
        ...(verbs.has('select') ? [reading(readable(table))] : []),
        ...(verbs.has('delete') ? ['delete'] : []),
        ...onColumns('insert', [...(verbs.get('insert') ?? [])].toSorted()),
        ...onColumns('update', columns),
      ]
      return `grant ${rights.join(', ')} on ${table} to ${role};\n`
    })
    .join('')
}

const reading = (columns: readonly string[] | undefined) =>
  columns ? `select (${columns.toSorted().join(', ')})` : 'select'

/** A column that none of a part's statements fills, another part's do, or its default does. */
function onColumns(verb: 'insert' | 'update', columns: readonly string[]): string[] {
  return columns.length > 0 ? [`${verb} (${columns.join(', ')})`] : []
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
