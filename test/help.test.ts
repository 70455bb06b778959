import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { upOptions } from '../bin/commands/up.ts'
import { DEFAULT_DATA, dataDirectory } from '../src/installation/data-directory.ts'
import { decideInstallation } from '../src/installation/decide-installation.ts'

const program = join(import.meta.dirname, '..', 'mayfly')
const help = told('help')

const nothingSaid = {
  apiPort: undefined,
  httpPort: undefined,
  httpsPort: undefined,
  domain: undefined,
  acme: { directory: undefined, email: undefined, trusted: undefined },
  regions: undefined,
  databaseElsewhere: false,
}

const asking = [
  ['--help'],
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

for (const args of [
  ['up', '--help'],
  ['up', '--detach', '-h'],
]) {
  test(`mayfly ${args.join(' ')} also has a line for each option of up`, () => {
    const text = told(...args)
    assert.ok(text.startsWith(help))
    const named = [...text.slice(help.length).matchAll(/^  --([a-z-]+) /gm)]
    assert.deepEqual(new Set(named.map((it) => it[1])), new Set(Object.keys(upOptions)))
  })
}

test('what it says of defaults is so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-'))
  try {
    const { apiPort, domain, regions } = await decideInstallation(
      dataDirectory(directory),
      nothingSaid,
    )
    assert.equal(defaultOf('data'), DEFAULT_DATA)
    assert.equal(defaultOf('api-port'), String(apiPort))
    assert.equal(defaultOf('http-port'), String(regions[0]?.httpPort))
    assert.equal(defaultOf('https-port'), String(regions[0]?.httpsPort))
    assert.equal(defaultOf('domain'), domain)
    assert.equal(defaultOf('regions'), regions.map((it) => it.name).join(','))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

/** What stands behind the colon in an option's line. */
function defaultOf(option: string): string | undefined {
  return new RegExp(`^  --${option} .*: (\\S+)`, 'm').exec(told('up', '--help'))?.[1]
}

/** Throws where it does not end with 0. */
function told(...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })
}
