/** An installation as a journey uses it: commands that must succeed, and what it sees of the machine. */

import { spawn } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'

import { dataDirectory } from '../../src/installation/data-directory.ts'
import {
  isAlive,
  type LivingProcess,
  readProcessFile,
} from '../../src/installation/living-process.ts'
import type { Timings } from '../../src/model/timings.ts'
import { isUuid } from '../../src/model/ids.ts'
import { installationToBe, type Ran } from '../an-installation.ts'
import { until } from '../until.ts'

/** Of no formation. */
const ONE_OFFS = new Set(['run', 'release'])
const cli = join(import.meta.dirname, '../../node_modules/.bin/heroku')

export interface Journey {
  readonly root: string
  readonly home: string
  /** Of the CLI. */
  readonly env: NodeJS.ProcessEnv
  url(app: string, region?: number): string
  /** What the genuine CLI said, its progress included; throws with all of it when it fails. */
  heroku(...args: string[]): Promise<string>
  /** The same, run in a directory. */
  herokuIn(cwd: string, ...args: string[]): Promise<string>
  /** Its standard output alone. */
  stdoutOfHeroku(...args: string[]): Promise<string>
  /** A CLI that goes on until it is ended. */
  startHeroku(...args: string[]): RunningCli
  git(cwd: string, ...args: string[]): Promise<string>
  /** What `./mayfly COMMAND` printed; throws when it fails. */
  mayfly(command: string, ...args: string[]): Promise<string>
  /** A command of somebody else, in their directory and with their token; it may fail. */
  runAs(
    who: { readonly token: string; readonly cwd: string },
    command: readonly string[],
  ): Promise<Ran>
  /** A call of the Platform API; throws unless it succeeds. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** As the Platform API lists them. */
  dynos(app: string): Promise<readonly ListedDyno[]>
  /** As the Platform API lists them, the latest last. */
  releases(app: string): Promise<readonly ListedRelease[]>
  /**
   * Waits until the app has all dynos that it is to have, by its current release and up, and no other of the first
   * region holds anything. A restart that nobody has begun yet is not waited for: `replaces`.
   */
  calm(app: string): Promise<void>
  /** Waits until every dyno that was there before `act` is another, and all is calm. */
  replaces(app: string, act: () => Promise<unknown>): Promise<void>
  /** How many dynos hold something on the machine. */
  containers(region: string): number
  configure(
    settings: Partial<
      Timings & { clockOffset: number; memoryFactor: number; diskFactor: number }
    >,
  ): void
  /** SIGKILL, then waits until the process is gone; one that is just being started is waited for. */
  killPart(name: string): Promise<void>
  killSupervisor(): Promise<void>
  up(): Promise<void>
  /** Whether every part serves and somebody watches over them. */
  isWell(): Promise<boolean>
}

export interface ListedDyno {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly state: string
  readonly release: { readonly version: number }
}

export interface ListedRelease {
  readonly version: number
  readonly status: string
  readonly failure: string | null
  readonly current: boolean
}

export interface RunningCli {
  output(): string
  end(): Promise<void>
}

export function aJourney(
  options: {
    regions?: readonly string[]
    timings?: Partial<Timings>
    /** Done before the first test. */
    begin?: (journey: Journey) => Promise<void>
  } = {},
): Journey {
  const { regions = ['us', 'eu'], timings = {}, begin } = options
  const { installation, open, close } = installationToBe({ regions })
  before(async () => {
    await open()
    configureIn(installation.data.root, timings)
    await begin?.(journey)
  })
  after(close)

  const ofApp = async <T>(app: string, list: string) =>
    (await journey.api('GET', `/apps/${app}/${list}`)) as readonly T[]
  /** How many dynos the app is to have. */
  const wanted = async (app: string) =>
    (await ofApp<{ readonly quantity: number }>(app, 'formation')).reduce(
      (sum, it) => sum + it.quantity,
      0,
    )

  const journey: Journey = {
    get root() {
      return installation.data.root
    },
    home: installation.home,
    get env() {
      return installation.env
    },
    url: (app, region) => `${installation.url(app, region)}/`,
    heroku: (...args) => journey.herokuIn(installation.home, ...args),
    herokuIn: async (cwd, ...args) => {
      const ran = await installation.heroku(args, { cwd })
      return succeeded(ran, args) + ran.stderr
    },
    stdoutOfHeroku: async (...args) => succeeded(await installation.heroku(args), args),
    startHeroku: (...args) => start(args, installation.home, installation.env),
    git: async (cwd, ...args) => {
      const ran = await installation.git(args, cwd)
      // What a remote says comes on the standard error.
      return succeeded(ran, args) + ran.stderr
    },
    mayfly: async (command, ...args) =>
      succeeded(await installation.mayfly(command, ...args), [command, ...args]),
    runAs: ({ token, cwd }, command) =>
      installation.run(command, {
        cwd,
        env: { ...installation.env, HEROKU_API_KEY: token },
      }),
    api: (...call) => installation.api(...call),
    dynos: (app) => ofApp<ListedDyno>(app, 'dynos'),
    releases: (app) => ofApp<ListedRelease>(app, 'releases'),
    calm: (app) =>
      until('all is calm', async () => {
        const listed = await journey.dynos(app)
        const current = (await journey.releases(app)).find((it) => it.current)?.version
        const ofTypes = listed.filter((it) => !ONE_OFFS.has(it.type))
        return (
          ofTypes.length === (await wanted(app)) &&
          ofTypes.every((it) => it.release.version === current) &&
          listed.every((it) => it.state === 'up') &&
          listed.length === journey.containers(regions[0] ?? '')
        )
      }),
    async replaces(app, act) {
      const earlier = new Set((await journey.dynos(app)).map((it) => it.id))
      await act()
      await until('every dyno is another', async () =>
        (await journey.dynos(app)).every((it) => !earlier.has(it.id)),
      )
      await journey.calm(app)
    },
    containers: (region) =>
      readdirSync(installation.data.dynos(region)).filter(isUuid).length,
    configure: (settings) => configureIn(installation.data.root, settings),
    async killPart(name) {
      await kill(installation.data.processFile(name))
    },
    async killSupervisor() {
      await kill(installation.data.processFile('supervisor'))
    },
    async up() {
      const ran = await installation.up()
      succeeded(ran, ['up'])
    },
    isWell: () => installation.isWell(),
  }
  return journey
}

function configureIn(root: string, settings: object): void {
  writeFileSync(dataDirectory(root).managerSettings, JSON.stringify(settings))
}

function succeeded({ status, stdout, stderr }: Ran, args: readonly string[]): string {
  if (status !== 0)
    throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

function start(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): RunningCli {
  const child = spawn(cli, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece))
  return {
    output: () => output,
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** `file` says which process. One that has just died is waited for: it will be started again. */
async function kill(file: string): Promise<void> {
  await until(`${file} names a process`, () => living(file) !== undefined)
  const victim = living(file)
  if (!victim) throw new Error(`the process of ${file} died by itself`)
  process.kill(victim.pid, 'SIGKILL')
  await until(`process ${victim.pid} is gone`, () => !isAlive(victim))
}

function living(file: string): LivingProcess | undefined {
  const it = readProcessFile(file)
  return it && isAlive(it) ? it : undefined
}
