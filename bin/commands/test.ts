/**
 * `./mayfly test`: every check there is, cheapest first, ending at the first that fails; at
 * last, that nothing was left behind. The last line it prints is `N passed, N failed`.
 */

import {
  chmodSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

import { grantsOfPrograms } from '../../src/installation/grants.ts'
import { idsFile, leftBehind, remainsIn } from '../../src/installation/remains.ts'
import { removeRemains } from '../../src/installation/remove-remains.ts'
import { schemaOfMigrations } from '../../src/installation/schema.ts'
import { withThrowAwayPostgres } from '../../src/installation/throw-away-postgres.ts'
import { ensureUsers } from '../../src/installation/users.ts'
import { MINUTE, pause, SECOND } from '../../src/lib/clock.ts'
import { parsed } from './arguments.ts'
import { ensureStacks, sharedStacks } from './local-runtime.ts'
import { runNodeTests, runToTerminal, type Tally } from './run-checks.ts'
import { program } from './settings.ts'

const CHECKED = ['bin', 'src', 'test', 'bench']
/** The tests' installations share their root file systems, from one run to the next. */
const STACK_CACHE = '/var/cache/mayfly/stacks'
/** A test that takes longer hangs, and so do all tests or all journeys together: on two processors half of it is enough. */
const LONGEST_TEST = 4 * MINUTE
const LONGEST_TESTS = 25 * MINUTE
const LONGEST_JOURNEYS = 20 * MINUTE
/**
 * Files. One more would fill what the processors idle while tests wait, and all end sooner; but tests whose
 * waits are short fail then where the machine is slow.
 */
const TESTS_AT_ONCE = availableParallelism()
const JOURNEYS_AT_ONCE = 2
/** The soak takes its time: a year is simulated, a hundred managers are killed. */
const SOAK = 12
/** What was told to end may take that long to be gone. */
const ENDING = 3 * SECOND
/** These begin first: what is last to end is to be short. The slowest first. */
const SLOW = [
  'test/journeys/run.test.ts',
  'test/journeys/supervision.test.ts',
  'test/journeys/dyno-life.test.ts',
  'test/journeys/zero-loss.test.ts',
  'test/journeys/main-job.test.ts',
  'test/journeys/recovery.test.ts',
  'test/journeys/memory-and-capacity.test.ts',
  'test/journeys/later-up.test.ts',
  'test/journeys/odd-apps.test.ts',
  'test/journeys/certificates.test.ts',
  'src/simulation/simulation.test.ts',
  'test/access-by-cli.test.ts',
  'test/attack/network.test.ts',
  'src/builds/archives.test.ts',
  'test/push-to-slug.test.ts',
  'src/runtime/local/oci-runtimes.test.ts',
]
const NONE: Tally = { passed: 0, failed: 0 }
const FAILED: Tally = { passed: 0, failed: 1 }

interface Stage {
  readonly name: string
  run(signal: AbortSignal): Promise<Tally>
}

export async function test(args: string[]): Promise<number> {
  const { values, positionals } = parsed({
    args,
    options: { soak: { type: 'boolean' }, seed: { type: 'string' } },
    allowPositionals: true,
  })
  if (values.soak) process.env['MAYFLY_SOAK'] = '1'
  if (values.seed !== undefined) process.env['MAYFLY_SEED'] = values.seed
  const interrupted = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => interrupted.abort())
  }
  let tally: Tally
  try {
    tally = await runAll(positionals, interrupted.signal)
  } catch (error) {
    console.error(error)
    tally = FAILED
  }
  if (interrupted.signal.aborted) {
    console.log('interrupted')
    tally = plus(tally, FAILED)
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  return tally.failed === 0 ? 0 : 1
}

/** Everything that the tests make lies in one directory, so that what they leave is known as theirs. */
async function runAll(named: readonly string[], signal: AbortSignal): Promise<Tally> {
  await ensureUsers()
  const stacks = sharedStacks ?? STACK_CACHE
  await ensureStacks(stacks, (line) => console.log(line))

  const temporary = mkdtempSync(join(tmpdir(), 'mayfly-test-'))
  // Mayfly's users have to get through.
  chmodSync(temporary, 0o711)
  writeFileSync(idsFile(temporary), '')
  // Each test file is a process, and so is each call of the CLI, each manager and each hook: none compiles
  // what another did.
  const compiled = join(temporary, 'compiled')
  Object.assign(process.env, {
    TMPDIR: temporary,
    MAYFLY_STACKS: stacks,
    NODE_COMPILE_CACHE: compiled,
  })
  let tally = FAILED
  try {
    tally = await withThrowAwayPostgres((host) => {
      Object.assign(process.env, { PGHOST: host, PGUSER: 'postgres' })
      const tests = testStages(named, temporary)
      const stages = named.length > 0 ? tests : [...checks(host), ...tests]
      return untilOneFails(stages, signal)
    })
  } finally {
    tally = plus(tally, await cleanUp(temporary))
  }
  return tally
}

/** Tells of what is left, and takes it away. */
async function cleanUp(temporary: string): Promise<Tally> {
  const look = () => leftBehind(temporary)
  let left = await look()
  const deadline = AbortSignal.timeout(ENDING)
  while (left.length > 0 && !deadline.aborted) {
    await pause(100, deadline)
    left = await look()
  }
  for (const { kind, name, details } of left) {
    console.log(`left behind: ${kind} ${name} ${details ?? ''}`)
  }
  // More than once: a supervisor may start what was ended before it was.
  for (let rest = left, round = 0; rest.length > 0 && round < 5; round++) {
    await removeRemains(rest)
    rest = await look()
  }
  // Whatever is mounted below would be emptied with it.
  const isMounted = remainsIn(temporary).some(({ kind }) => kind === 'mount')
  if (!isMounted) rmSync(temporary, { recursive: true, force: true })
  return left.length === 0 ? NONE : FAILED
}

function checks(host: string): Stage[] {
  const format = tool('format', 'prettier', '--check', '--log-level=warn', '.')
  const others = [
    tool('lint', 'oxlint', '--type-aware', '--deny-warnings', ...CHECKED),
    tool('types', 'tsc', '--noEmit'),
    { name: 'schema.sql and grants.sql', run: () => schemaIsCurrent(host) },
  ]
  // Prettier has one thread, and takes as long as the others twice.
  return [
    {
      name: 'checks',
      async run(signal) {
        const both = [untilOneFails([format], signal), untilOneFails(others, signal)]
        return (await Promise.all(both)).reduce(plus)
      },
    },
  ]
}

function tool(name: string, command: string, ...args: string[]): Stage {
  const file = join(program, 'node_modules', '.bin', command)
  return {
    name,
    async run(signal) {
      const status = await runToTerminal([file, ...args], { cwd: program, signal })
      return status === 0 ? NONE : FAILED
    },
  }
}

function testStages(named: readonly string[], temporary: string): Stage[] {
  const patience = process.env['MAYFLY_SOAK'] === undefined ? 1 : SOAK
  const all =
    named.length > 0
      ? named.flatMap((it) =>
          it.endsWith('.ts') ? [it] : globSync(`${it}/**/*.test.ts`),
        )
      : globSync('{bin,src,test,bench}/**/*.test.ts', { cwd: program })
  const stages = [
    {
      name: 'tests',
      files: all.filter((it) => !isJourney(it)),
      atOnce: TESTS_AT_ONCE,
      longest: LONGEST_TESTS * patience,
    },
    {
      name: 'journeys',
      files: all.filter(isJourney),
      atOnce: JOURNEYS_AT_ONCE,
      longest: LONGEST_JOURNEYS * patience,
    },
  ]
  return stages
    .filter(({ files }) => files.length > 0)
    .map(({ name, files, atOnce, longest }) => ({
      name,
      run: (signal) =>
        runNodeTests(slowFirst(files), {
          cwd: program,
          // Node's own deadline ends a test, but not a file that something keeps alive.
          signal: AbortSignal.any([signal, AbortSignal.timeout(longest)]),
          temporary,
          atOnce,
          longest: LONGEST_TEST * patience,
        }),
    }))
}

function slowFirst(files: readonly string[]): string[] {
  const slow = SLOW.filter((it) => files.includes(it))
  return [...slow, ...files.filter((it) => !slow.includes(it)).toSorted()]
}

const isJourney = (file: string) => file.includes('journeys/')

async function untilOneFails(
  stages: readonly Stage[],
  signal: AbortSignal,
): Promise<Tally> {
  let tally = NONE
  for (const stage of stages) {
    if (tally.failed > 0 || signal.aborted) break
    const started = performance.now()
    console.log(`\n--- ${stage.name}`)
    tally = plus(tally, await stage.run(signal))
    console.log(
      `--- ${stage.name}: ${Math.round((performance.now() - started) / SECOND)} s`,
    )
  }
  return tally
}

async function schemaIsCurrent(host: string): Promise<Tally> {
  const schema = await schemaOfMigrations(host)
  const should = { 'schema.sql': schema, 'grants.sql': grantsOfPrograms(schema) }
  const stale = Object.entries(should).filter(
    ([file, text]) => readFileSync(join(program, file), 'utf8') !== text,
  )
  for (const [file] of stale) {
    console.log(`${file} is not what it is made from: ./mayfly schema writes it anew`)
  }
  return stale.length === 0 ? NONE : FAILED
}

function plus(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed }
}
