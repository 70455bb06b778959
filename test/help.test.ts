import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const program = join(import.meta.dirname, '..', 'mayfly')
const help = told('help')

const asking = [
  ['--help'],
  ['up', '--help'],
  ['up', '--detach', '-h'],
  ['down', '--help'],
  ['status', '-h'],
  ['simulate', '--help'],
  ['account:create', '--help'],
  ['audit', '-h'],
]

for (const args of asking) {
  test(`mayfly ${args.join(' ')} lists the commands and does nothing`, () => {
    assert.match(help, /mayfly up .*mayfly down /s)
    assert.equal(told(...args), help)
  })
}

/** Throws where it does not end with 0. */
function told(...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })
}
