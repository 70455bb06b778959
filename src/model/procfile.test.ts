import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseProcfile, withDefaults } from './procfile.ts'

const procfiles: readonly [what: string, text: string, types: Record<string, string>][] =
  [
    ['one type', 'web: npm start\n', { web: 'npm start' }],
    ['no newline at the end', 'web: npm start', { web: 'npm start' }],
    ['several, in order', 'worker: a\nweb: b\n', { worker: 'a', web: 'b' }],
    ["Windows' line ends", 'web: a\r\nworker: b\r\n', { web: 'a', worker: 'b' }],
    ['no space after the colon', 'web:a', { web: 'a' }],
    ['a command with colons', 'web: a --url http://b:1', { web: 'a --url http://b:1' }],
    ['a type with digits, dash and underscore', 'a_1-b: c', { 'a_1-b': 'c' }],
    ['comments and blank lines', '# web: x\n\n  \nweb: a\n', { web: 'a' }],
    ['a type without a command', 'web:\nworker: a', { worker: 'a' }],
    ['a type that is no name', 'we b: a\nwé: b', {}],
    ['a type twice: the last', 'web: a\nweb: b', { web: 'b' }],
    ['spaces at the end', 'web: a  \t\n', { web: 'a' }],
    ['a type longer than any may be', `${'a'.repeat(129)}: b`, {}],
    ['nothing', '', {}],
  ]

for (const [what, text, types] of procfiles) {
  test(`a Procfile with ${what}`, () => {
    assert.deepEqual(parseProcfile(text), types)
    assert.deepEqual(Object.keys(parseProcfile(text)), Object.keys(types))
  })
}

test('a type may have the name of something that every object has', () => {
  assert.deepEqual(Object.keys(parseProcfile('__proto__: a\nconstructor: b')), [
    '__proto__',
    'constructor',
  ])
})

test("what the Procfile declares goes before the buildpack's defaults", () => {
  const types = withDefaults({ web: 'mine' }, { web: 'theirs', worker: 'theirs' })
  assert.deepEqual(types, { web: 'mine', worker: 'theirs' })
})
