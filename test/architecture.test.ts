/** The import rules of ARCHITECTURE.md's Folders, kept true by a test. */

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

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

const files = globSync('**/*.ts', { cwd: src }).filter((it) => !it.endsWith('.test.ts'))

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
    others.filter((it) => textOf(it).includes('.query(')),
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

function startsPrograms(file: string): boolean {
  return (
    textOf(file).includes('child_process') ||
    importsOf(file).some((it) => RUN_PROGRAMS.includes(it))
  )
}

function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(/from '(\.{1,2}\/[^']+)'/g)].map((match) =>
    relative(src, join(src, dirname(file), match[1] ?? '')),
  )
}

function textOf(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}
