import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { reachableDeclarations } from './reachable-declarations.ts'

const FILES = {
  'main.ts': `/** A main. */
import { go, type T } from './lib.ts'
import * as whole from './whole.ts'
import {
  first as one,
} from './many.ts'

go()
// never() is not called.
one()
whole.x()
`,
  'lib.ts': `import { deep } from './deep.ts'

export type T = 'the type'

export async function go(): Promise<void> {
  helper(
    'went',
  )
}

const helper = (it: string) => {
  deep(it)
}

export function never() {
  'never said'
}
`,
  'whole.ts': `const inside = 'inside'
`,
  'deep.ts': `export function deep(it: string) {
  return \`deep \${it}\`
}

'said on import'
`,
  'many.ts': `export { first } from './first.ts'

export const second = 'second'
`,
  'first.ts': `export function first() {
  return 'first'
}
`,
}

test('a program reaches what it names, and what that names', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reachable-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const [file, text] of Object.entries(FILES))
    writeFileSync(join(directory, file), text)

  const all = reachableDeclarations(join(directory, 'main.ts')).join('\n')

  for (const reached of [
    "'went'",
    'deep ${it}',
    "'said on import'",
    "'first'",
    "'inside'",
  ]) {
    assert.ok(all.includes(reached), reached)
  }
  for (const not of ['never said', "'second'", 'is not called']) {
    assert.ok(!all.includes(not), not)
  }
})
