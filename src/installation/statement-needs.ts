/** What SQL statements need of whoever runs them, read from the text of programs. */

export type Verb = 'select' | 'insert' | 'update' | 'delete' | 'lock'

/** Table to verb to columns, which an insert and an update alone have. */
export type Needs = ReadonlyMap<string, ReadonlyMap<Verb, ReadonlySet<string>>>

/**
 * `texts`: of declarations, with statements in quotes, whose words are in small letters. `tables`:
 * those that there are; other words are no tables. Throws for a statement that changes a table
 * whose name is only put in as it runs, and for one that adds rows and does not say which columns
 * it fills.
 */
export function statementNeeds(
  texts: readonly string[],
  tables: ReadonlySet<string>,
): Needs {
  const needs = new Map<string, Map<Verb, Set<string>>>()
  for (const { table, verb, columns } of texts.flatMap(literalsOf).flatMap(needsOf)) {
    if (!tables.has(table)) continue
    const verbs = needs.get(table) ?? new Map<Verb, Set<string>>()
    needs.set(table, verbs)
    verbs.set(verb, new Set([...(verbs.get(verb) ?? []), ...columns]))
  }
  return needs
}

/**
 * Which of the table's columns its statements name otherwise than to fill them, in a new row or behind
 * `set`; or parts of statements that stand in texts of their own, and say of no table; all of them where
 * a statement says `*` of it. A few more at worst: a word may be the name of something else.
 */
export function namedColumns(
  texts: readonly string[],
  { table, columns, tables }: ColumnsOfTable,
): ReadonlySet<string> {
  const literals = texts.flatMap(literalsOf)
  const its = literals.filter((it) => wordsOf(it).includes(table))
  if (its.some((it) => /\b(?:select|returning) \*|\b\w+\.\*/.test(it)))
    return new Set(columns)
  // What is no statement may be a part of this table's, whichever others it names.
  const parts = literals.filter(
    (it) => !STATEMENT.test(it) || !wordsOf(it).some((word) => tables.has(word)),
  )
  const words = new Set(its.concat(parts).flatMap((it) => wordsOf(withoutFilled(it))))
  return new Set(columns.filter((it) => words.has(it)))
}

export interface ColumnsOfTable {
  readonly table: string
  readonly columns: readonly string[]
  /** All that there are. */
  readonly tables: ReadonlySet<string>
}

const STATEMENT = /^.\s*(?:select|with|insert|update|delete)\b/

const wordsOf = (text: string): readonly string[] => text.match(/\w+/g) ?? []

/** A statement, without the names of the columns that it fills. */
function withoutFilled(statement: string): string {
  return statement
    .replaceAll(INSERT, '')
    .split(/\bset\s/)
    .map((it, i) => (i === 0 ? it : withoutTargets(it)))
    .join('')
}

/** Texts in quotes of any kind. */
function literalsOf(text: string): string[] {
  return text.match(/`(?:[^`\\]|\\[^])*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g) ?? []
}

interface Need {
  readonly table: string
  readonly verb: Verb
  readonly columns: readonly string[]
}

function needsOf(statement: string): Need[] {
  const hidden = /\b(?:insert into|delete from|(?<!for |key |do )update) \$\{.*/.exec(
    statement,
  )
  if (hidden) throw new Error(`a statement does not name its table: ${hidden[0]}`)
  return additions(statement)
    .concat(
      SIMPLE.flatMap(([verb, pattern]) =>
        [...statement.matchAll(pattern)].map(([, table = '']) => need(table, verb)),
      ),
    )
    .concat(updates(statement), conflicts(statement), locks(statement))
}

/** The table is what the first brackets hold. */
const SIMPLE: readonly (readonly [Verb, RegExp])[] = [
  ['select', /(?<!\bdelete )\b(?:from|join|using) (\w+)/g],
  ['select', /(?<=\bfrom [\w ,]*), (\w+)/g],
  ['delete', /\bdelete from (\w+)/g],
  // A part of a statement: what another puts behind its `from`.
  ['select', /^[`'"]\s*(\w+)(?: \w+)?\s+(?:left )?join /g],
  // Whoever says which rows, or is told of them, reads.
  ['select', /\b(?:update|delete from) (\w+)(?=[^]*\b(?:where|returning)\b)/g],
  ['select', /\binsert into (\w+)(?=[^]*\b(?:returning|on\s+conflict)\b)/g],
]

const INSERT = /\binsert into (\w+)(?:\s+\(([^()]*)\))?/g

function additions(statement: string): Need[] {
  return [...statement.matchAll(INSERT)].map((it) => {
    const [, table = '', columns = ''] = it
    if (!columns) throw new Error(`a statement does not name its columns: ${it[0]}`)
    return need(table, 'insert', columns.match(/"\w+"|\w+/g) ?? [])
  })
}

function updates(statement: string): Need[] {
  const found = statement.matchAll(/\bupdate (\w+)(?: (?!set\b)\w+)?\s+set\s/g)
  return [...found].map((it) =>
    need(it[1] ?? '', 'update', assigned(statement.slice(it.index + it[0].length))),
  )
}

function conflicts(statement: string): Need[] {
  return [...statement.matchAll(/\bdo\s+update\s+set\s/g)].map((it) => {
    const inserts = [...statement.slice(0, it.index).matchAll(/\binsert into (\w+)/g)]
    const columns = assigned(statement.slice(it.index + it[0].length))
    return need(inserts.at(-1)?.[1] ?? '', 'update', columns)
  })
}

function locks(statement: string): Need[] {
  return [...statement.matchAll(LOCK)].map((it) => {
    const read = [
      ...statement.slice(0, it.index).matchAll(/\b(?:from|join) (\w+)(?: (\w+))?/g),
    ]
    const named = read.find(([, table, alias]) => [table, alias].includes(it[1]))
    return need((named ?? read.at(-1))?.[1] ?? '', 'lock')
  })
}

const LOCK = /\bfor (?:(?:no key )?update|(?:key )?share)\b(?: of (\w+))?/g

function need(table: string, verb: Verb, columns: readonly string[] = []): Need {
  return { table, verb, columns }
}

/** Of what follows a `set`: the columns, of which several may get a row at once. */
function assigned(text: string): string[] {
  return outsideBrackets(listOf(text)).flatMap((part) => {
    const [left = ''] = part.split('=')
    return left.match(/\w+/g) ?? []
  })
}

/** What follows a `set`, without the columns that it assigns. */
function withoutTargets(text: string): string {
  const list = listOf(text)
  const values = outsideBrackets(list).map((it) => it.slice(it.indexOf('=') + 1))
  return values.join(',') + text.slice(list.length)
}

/** It ends where the statement goes on, or a bracket around it closes. */
function listOf(text: string): string {
  let depth = 0
  for (const { 0: it, index } of text.matchAll(/[()]|\b(?:where|from|returning)\b/g)) {
    if (it === '(') depth++
    else if (it === ')') depth--
    if (depth < 0 || (depth === 0 && /\w/.test(it))) return text.slice(0, index)
  }
  return text
}

/** Between the commas. */
function outsideBrackets(list: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (const { 0: it, index } of list.matchAll(/[(),]/g)) {
    if (it === '(') depth++
    else if (it === ')') depth--
    else if (depth === 0) {
      parts.push(list.slice(start, index))
      start = index + 1
    }
  }
  return [...parts, list.slice(start)]
}
