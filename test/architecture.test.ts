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

for (const file of globSync('**/*.ts', { cwd: src })) {
  if (file.endsWith('.test.ts')) continue
  test(`src/${file} imports only what its folder may`, () => {
    const home = file.split('/')[0] ?? ''
    const allowed = [home, ...(mayImport[home] ?? [])]
    for (const target of importsOf(file)) {
      const ok = allowed.some((it) => target === it || target.startsWith(`${it}/`))
      assert.ok(ok, `src/${file} may not import src/${target}`)
    }
  })

  if (!/^(store|installation|simulation)\//.test(file)) {
    test(`src/${file} leaves SQL to the store`, () => {
      const text = readFileSync(join(src, file), 'utf8')
      assert.ok(!text.includes('.query('), `src/${file} may not ask the database itself`)
    })
  }

  test(`src/${file} leaves the environment, and starting programs, to those who may`, () => {
    const text = readFileSync(join(src, file), 'utf8')
    assert.ok(!/process\.env/.test(text), 'only bin/ reads process.env')
    if (
      /^(api|actions|store|model|lib|work|logs|rendezvous|webhooks|manager|certificates)\//.test(
        file,
      )
    ) {
      assert.ok(!text.includes('child_process'), `src/${file} may not start programs`)
    }
  })
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  return [...text.matchAll(/from '(\.{1,2}\/[^']+)'/g)].map((match) =>
    relative(src, join(src, dirname(file), match[1] ?? '')),
  )
}
