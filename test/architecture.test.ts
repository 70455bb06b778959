/** The import rules of ARCHITECTURE.md's Folders, kept true by a test. */

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

import { reachableDeclarations } from '../src/installation/reachable-declarations.ts'

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')

const domain = ['lib', 'model', 'store']
const mayImport: Record<string, readonly string[]> = {
  lib: [],
  model: ['lib'],
  store: ['lib', 'model'],
  actions: domain,
  work: domain,
  runtime: ['lib', 'model'],
  router: [...domain, 'actions', 'work'],
  certificates: [...domain, 'actions', 'work'],
  logs: [...domain, 'actions', 'work'],
  rendezvous: [...domain, 'actions', 'work'],
  webhooks: [...domain, 'actions', 'work'],
  api: [...domain, 'actions', 'installation/data-directory.ts'],
  manager: [...domain, 'actions', 'work', 'runtime/runtime.ts'],
  builds: [
    ...domain,
    'actions',
    'work',
    'installation/data-directory.ts',
    'runtime/runtime.ts',
  ],
  installation: domain,
  // It wires a whole manager together, as bin/ does; nothing of the product imports it.
  simulation: [
    ...domain,
    'actions',
    'work',
    'manager',
    'runtime',
    'installation/database.ts',
    'installation/migrate.ts',
  ],
}

/** They run programs for those who may: to import one is to start them. */
const RUN_PROGRAMS = ['lib/run-program.ts', 'lib/remove-tree.ts']
/** They start no programs: of the listening processes only `git` does. */
const STARTS_NONE =
  /^(api|actions|store|model|lib|work|logs|rendezvous|webhooks|manager|certificates)\//

/** Of a regular expression `exec` is a method. */
const STARTS = /(?<![.\w])(spawn|exec|execFile|fork|runProgram)(Sync)?\(|promisify\(exec/

const files = globSync('**/*.ts', { cwd: src }).filter((it) => !it.endsWith('.test.ts'))

test('ARCHITECTURE.md says the same', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const rows = text.matchAll(/^\| `src\/(\w+)\/` .*\| ([^|]+?) *\|$/gm)
  const told = [...rows].map(([, folder = '', its = '']): [string, string[]] => [
    folder,
    [...its.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).toSorted(),
  ])
  const held = Object.entries(mayImport).map(([folder, its]) => [folder, its.toSorted()])
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(held))
})

test('each folder imports only what it may', () => {
  const violations = files.flatMap((file) => {
    const home = file.split('/')[0] ?? ''
    const allowed = [home, ...(mayImport[home] ?? [])]
    const isAllowed = (target: string) =>
      allowed.some((it) => target === it || target.startsWith(`${it}/`))
    return importsOf(file)
      .filter((target) => !isAllowed(target))
      .map((target) => `src/${file} may not import src/${target}`)
  })
  assert.deepEqual(violations, [])
})

test('SQL is left to the store', () => {
  const others = files.filter((it) => !/^(store|installation|simulation)\//.test(it))
  assert.deepEqual(
    others.filter((it) => /\.query[(<]/.test(textOf(it))),
    [],
  )
})

test('only bin/ reads the environment', () => {
  assert.deepEqual(
    files.filter((it) => textOf(it).includes('process.env')),
    [],
  )
})

test('programs are started by those who may', () => {
  const startNone = files.filter(
    (it) => STARTS_NONE.test(it) && !RUN_PROGRAMS.includes(it),
  )
  assert.deepEqual(startNone.filter(startsPrograms), [])
})

// Whatever they import: modules that they share with others hold more than they use.
for (const entry of ['bin/api.ts', 'bin/logs.ts', 'bin/rendezvous.ts']) {
  test(`nothing that ${entry} can come to starts a program`, () => {
    const all = reachableDeclarations(join(root, entry))
    assert.ok(all.length > 100, `only ${all.length} declarations`)
    assert.deepEqual(
      all.filter((it) => STARTS.test(it)).map((it) => it.slice(0, 200)),
      [],
    )
  })
}

test('bin/git.ts is seen to start one', () => {
  const all = reachableDeclarations(join(root, 'bin/git.ts'))
  assert.ok(all.some((it) => STARTS.test(it)))
})

function startsPrograms(file: string): boolean {
  return (
    textOf(file).includes('child_process') ||
    importsOf(file).some((it) => RUN_PROGRAMS.includes(it))
  )
}

function importsOf(file: string): string[] {
  const paths = textOf(file).matchAll(/(?:from|import\(?)\s*'(\.{1,2}\/[^']+)'/g)
  return [...paths].map(([, path = '']) => relative(src, join(src, dirname(file), path)))
}

function textOf(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}
