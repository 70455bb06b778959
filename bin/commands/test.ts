/**
 * `./mayfly test`: every check there is, cheapest first, ending at the first that fails; at
 * last, that nothing was left behind. The last line it prints is `N passed, N failed`.
 */

import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ensureUsers } from '../../src/installation/users.ts'
import { remains } from '../../src/installation/remains.ts'
import { schemaOfMigrations } from '../../src/installation/schema.ts'
import { withThrowAwayPostgres } from '../../src/installation/throw-away-postgres.ts'
import { ensureStacks, sharedStacks } from './local-runtime.ts'
import { parsed } from './arguments.ts'
import { runNodeTests, runToTerminal, type Tally } from './run-checks.ts'
import { program } from './settings.ts'

const CHECKED = ['bin', 'src', 'test', 'bench']
/** The tests' installations share their root file systems, from one run to the next. */
const STACK_CACHE = '/var/cache/mayfly/stacks'
const NONE: Tally = { passed: 0, failed: 0 }
const FAILED: Tally = { passed: 0, failed: 1 }

interface Stage {
  readonly name: string
  run(): Promise<Tally>
}

export async function test(args: string[]): Promise<number> {
  const { values, positionals } = parsed({
    args,
    options: { soak: { type: 'boolean' } },
    allowPositionals: true,
  })
  const before = await remains()
  await ensureUsers()
  const stacks = sharedStacks ?? STACK_CACHE
  await ensureStacks(stacks, (line) => console.log(line))
  const temporary = mkdtempSync(join(tmpdir(), 'mayfly-test-'))
  let tally = NONE
  try {
    tally = await withThrowAwayPostgres((host) => {
      const environment = {
        ...process.env,
        PGHOST: host,
        PGUSER: 'postgres',
        MAYFLY_STACKS: stacks,
        ...(values.soak ? { MAYFLY_SOAK: '1' } : {}),
      }
      const tests = testStages(positionals, { environment, temporary })
      return untilOneFails(positionals.length > 0 ? tests : [...checks(host), ...tests])
    })
  } finally {
    rmSync(temporary, { recursive: true })
  }
  tally = plus(tally, leftBehind(before, await remains()))
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  return tally.failed === 0 ? 0 : 1
}

function checks(host: string): Stage[] {
  return [
    tool('format', 'prettier', '--check', '--log-level=warn', '.'),
    tool('lint', 'oxlint', '--type-aware', '--deny-warnings', ...CHECKED),
    tool('types', 'tsc', '--noEmit'),
    { name: 'schema.sql', run: () => schemaIsCurrent(host) },
  ]
}

function tool(name: string, command: string, ...args: string[]): Stage {
  const file = join(program, 'node_modules', '.bin', command)
  return {
    name,
    async run() {
      const status = await runToTerminal([file, ...args], { cwd: program })
      return status === 0 ? NONE : FAILED
    },
  }
}

/** Journeys put whole installations on the machine, and run one after the other. */
function testStages(
  named: readonly string[],
  where: { readonly environment: NodeJS.ProcessEnv; readonly temporary: string },
): Stage[] {
  const all =
    named.length > 0
      ? named.flatMap((it) =>
          it.endsWith('.ts') ? [it] : globSync(`${it}/**/*.test.ts`),
        )
      : globSync('{bin,src,test,bench}/**/*.test.ts', { cwd: program })
  const stage = (
    name: string,
    files: readonly string[],
    ...options: string[]
  ): Stage => ({
    name,
    run: () => runNodeTests(files.toSorted(), { ...where, cwd: program, options }),
  })
  const stages = [
    { name: 'tests', files: all.filter((it) => !isJourney(it)), options: [] },
    { name: 'journeys', files: all.filter(isJourney), options: ['--test-concurrency=1'] },
  ]
  return stages
    .filter(({ files }) => files.length > 0)
    .map(({ name, files, options }) => stage(name, files, ...options))
}

const isJourney = (file: string) => file.includes('journeys/')

async function untilOneFails(stages: readonly Stage[]): Promise<Tally> {
  let tally = NONE
  for (const stage of stages) {
    console.log(`\n--- ${stage.name}`)
    tally = plus(tally, await stage.run())
    if (tally.failed > 0) break
  }
  return tally
}

async function schemaIsCurrent(host: string): Promise<Tally> {
  const is = readFileSync(join(program, 'schema.sql'), 'utf8')
  if (is === (await schemaOfMigrations(host))) return NONE
  console.log('schema.sql is not what migrations/ make: ./mayfly schema writes it anew')
  return FAILED
}

function leftBehind(before: readonly string[], after: readonly string[]): Tally {
  const left = after.filter((it) => !before.includes(it))
  for (const it of left) console.log(`left behind: ${it}`)
  return left.length === 0 ? NONE : FAILED
}

function plus(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed }
}
