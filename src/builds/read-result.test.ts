import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { changed, changes } from '../../test/mutated.ts'
import { treeChecksum } from '../lib/tree-checksum.ts'
import { defaultProcessTypes, readResult, UnusableResult } from './read-result.ts'

const RUNS = fuzzRuns({ usual: 15, soaked: 3000 })

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mayfly-result-'))
  await mkdir(join(directory, 'app'))
})
afterEach(() => rm(directory, { recursive: true }))

test('takes the Procfile, over what the buildpack defaults to', async () => {
  await put('Procfile', 'web: mine\n')
  await put('release.yml', 'default_process_types:\n  web: theirs\n  console: bash\n')
  await put('detected', 'Node.js\n')
  await put('size', '4096\n')
  const { checksum, ...others } = await readResult(directory)
  assert.equal(checksum, await treeChecksum(join(directory, 'app')))
  assert.deepEqual(others, {
    processTypes: { web: 'mine', console: 'bash' },
    declared: ['web'],
    detected: 'Node.js',
    size: 4096,
    healthChecks: {},
    warnings: [],
  })
})

test('does without any of them', async () => {
  const { checksum: _, ...others } = await readResult(directory)
  assert.deepEqual(others, {
    processTypes: {},
    declared: [],
    detected: undefined,
    size: undefined,
    healthChecks: {},
    warnings: [],
  })
})

test('takes a hundred process types, and no more', async () => {
  await put('Procfile', declared(0, 99).join('\n'))
  await put('release.yml', `default_process_types:\n  ${declared(98, 2).join('\n  ')}\n`)
  assert.equal(Object.keys((await readResult(directory)).processTypes).length, 100)
  await put('release.yml', `default_process_types:\n  ${declared(98, 3).join('\n  ')}\n`)
  await assert.rejects(
    readResult(directory),
    new UnusableResult('The app has 101 process types, more than the 100 that it may.'),
  )
})

test('does not follow a link that stands for a file', async () => {
  await writeFile(join(directory, 'secret'), 'web: secret\n')
  await symlink(join(directory, 'secret'), join(directory, 'Procfile'))
  await assert.rejects(
    readResult(directory),
    new UnusableResult('Procfile is not a regular file.'),
  )
})

test('does not wait for whoever holds the other end of a pipe', async () => {
  execFileSync('mkfifo', [join(directory, 'release.yml')])
  await assert.rejects(readResult(directory), UnusableResult)
})

test('does not take in a file of any size', async () => {
  await put('release.yml', '#'.repeat(64 * 1024 + 1))
  await assert.rejects(
    readResult(directory),
    new UnusableResult('release.yml has more than 16384 bytes.'),
  )
})

const unfit: readonly [name: string, text: string, sentence: string][] = [
  ['Procfile', 'web: node a\0b\n', 'Procfile contains a NUL byte.'],
  ['detected', 'Node\0.js\n', 'detected contains a NUL byte.'],
  [
    'release.yml',
    'default_process_types:\n  web: "a\\0b"\n',
    'The command of web contains a NUL byte.',
  ],
  [
    'release.yml',
    'default_process_types:\n  web: "\\uD800"\n',
    'The command of web contains half a character (a lone surrogate).',
  ],
  ['Procfile', `web: ${'x'.repeat(32_769)}`, 'The command of web has more than 32 KB.'],
]
for (const [name, text, sentence] of unfit) {
  test(`makes no slug of what nothing could keep or run: ${sentence}`, async () => {
    await put(name, text)
    await assert.rejects(readResult(directory), new UnusableResult(sentence))
  })
}

test("takes health checks from the app's app.json, and says what it passes over", async () => {
  const healthcheck = { path: '/up', interval: 2, colour: 'green' }
  await put('app/app.json', JSON.stringify({ formation: { web: { healthcheck } } }))
  const { healthChecks, warnings } = await readResult(directory)
  assert.equal(healthChecks['web']?.interval, 2000)
  assert.deepEqual(warnings, [
    'app.json: formation.web.healthcheck.colour is ignored: nothing of that name is known.',
  ])
})

test('says which lines of the Procfile declare nothing', async () => {
  await put('Procfile', '# mine\n\nweb node web.js\nworker: node worker.js\nclock:\n')
  const { processTypes, warnings } = await readResult(directory)
  assert.deepEqual(processTypes, { worker: 'node worker.js' })
  assert.deepEqual(warnings, [
    'Procfile: line 3 is ignored, for it is not `type: command`: "web node web.js"',
    'Procfile: line 5 is ignored, for it is not `type: command`: "clock:"',
  ])
})

test('no app.json fails a build', async () => {
  await put('app/app.json', '{ formation: web }')
  const { warnings } = await readResult(directory)
  assert.deepEqual(warnings, ['app.json is not JSON, and is ignored.'])
  await rm(join(directory, 'app/app.json'))
  await symlink('/etc/passwd', join(directory, 'app/app.json'))
  const linked = await readResult(directory)
  assert.deepEqual(linked.warnings, ['app.json is not a regular file, and is ignored.'])
})

test('takes no link for the app', async () => {
  await rm(join(directory, 'app'), { recursive: true })
  await symlink('/', join(directory, 'app'))
  await assert.rejects(readResult(directory), UnusableResult)
})

const releases: readonly [what: string, yaml: string, types: Record<string, string>][] = [
  ['nothing', '', {}],
  ['other keys only', 'addons: []\nconfig_vars:\n  A: b\n', {}],
  ['an empty map', '--- {}', {}],
  ['types', 'default_process_types:\n  web: npm start\n', { web: 'npm start' }],
  [
    'what is no type',
    'default_process_types:\n  "a b": x\n  worker: 3\n  web: y\n',
    { web: 'y' },
  ],
  ['a list where a map belongs', 'default_process_types:\n  - web\n', {}],
]
for (const [what, yaml, types] of releases) {
  test(`bin/release may print ${what}`, () => {
    assert.deepEqual(defaultProcessTypes(yaml), types)
  })
}

test('bin/release must print YAML', () => {
  assert.throws(() => defaultProcessTypes('a: [b'), UnusableResult)
})

test('YAML that multiplies itself is refused', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef']) {
    bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`)
  }
  assert.throws(() => defaultProcessTypes(bomb.join('\n')), UnusableResult)
})

function put(name: string, text: string | Buffer): Promise<void> {
  return writeFile(join(directory, name), text)
}

/** Right, each of them. */
const WRITTEN: Readonly<Record<string, string>> = {
  Procfile:
    'web: node server.js\nworker: node "work er.js" # at night\r\nrelease: true\n',
  'app/app.json':
    '{"formation": {"web": {"healthcheck": {"path": "/up", "interval": 10}}}}',
  'release.yml':
    '--- &all\ndefault_process_types:\n  web: &web |\n    bin/web\n  console: *web\n  <<: {a: "b"}\n',
  detected: 'Node.js\n',
  size: '4096\n',
}

test('whatever it wrote, there is a result or a sentence about it', async (t) => {
  const told = { results: 0, sentences: 0 }
  const content = fc.oneof(
    changes.map((all) => (right: string) => changed(Buffer.from(right), all)),
    fc.uint8Array({ maxLength: 200 }).map((it) => () => Buffer.from(it)),
    fc.json().map((it) => () => Buffer.from(it)),
    // Aliases of aliases, and brackets that nobody closes.
    fc.nat({ max: 2000 }).map((n) => () => Buffer.from('a: &a ['.repeat(n))),
    fc.nat({ max: 30_000 }).map((n) => () => Buffer.from('['.repeat(n))),
    fc
      .dictionary(fc.string(), fc.constant({ healthcheck: 1 }), { maxKeys: 2000 })
      .map((formation) => () => Buffer.from(JSON.stringify({ formation }))),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(WRITTEN)),
      content,
      async (name, of) => {
        for (const [each, text] of Object.entries(WRITTEN)) {
          await put(each, each === name ? of(text) : text)
        }
        const result = await readResult(directory).catch((error: unknown) => {
          assert.ok(error instanceof UnusableResult, `${name}: ${String(error)}`)
          return error
        })
        if (result instanceof UnusableResult) return void (told.sentences += 1)
        told.results += 1
        for (const [type, command] of Object.entries(result.processTypes)) {
          assert.match(type, /^[-\w]{1,128}$/)
          assert.ok(typeof command === 'string' && command.trim() !== '')
          assert.ok(command.isWellFormed() && !command.includes('\0'))
        }
        assert.ok(!result.detected?.includes('\0'))
        assert.ok(result.warnings.join('').length < 10_000)
      },
    ),
    {
      ...RUNS,
      // One of each, which chance may leave out.
      examples: [
        ['Procfile', (right) => Buffer.from(right)],
        ['Procfile', () => Buffer.from('web: a\0b\n')],
      ],
    },
  )
  t.diagnostic(`${told.results} results, ${told.sentences} sentences`)
  assert.ok(told.results > 0 && told.sentences > 0)
})

function declared(from: number, many: number): string[] {
  return Array.from({ length: many }, (_, nth) => `type-${from + nth}: run`)
}
