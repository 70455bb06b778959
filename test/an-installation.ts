/**
 * A whole installation of a test file's own: set up in a temporary directory, on free ports
 * and networks, up before the first test and gone, with all it put on the machine, after
 * the last. Its `env` is what `./mayfly env` says, with a home directory to be thrown away.
 */

import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'

import { isReady } from '../src/installation/control-plane.ts'
import { type DataDirectory, dataDirectory } from '../src/installation/data-directory.ts'
import {
  findInstallation,
  openInstallation,
} from '../src/installation/open-installation.ts'
import { partsOf } from '../src/installation/parts.ts'
import { supervisorOf } from '../src/installation/supervisor-lock.ts'
import { pause } from '../src/lib/clock.ts'
import { claim } from './claim.ts'
import { freePorts } from './free-ports.ts'
import { noteInstallation } from './note-installation.ts'

const root = join(import.meta.dirname, '..')
const ready = {
  MAYFLY_STACKS: process.env['MAYFLY_STACKS'] ?? '/var/cache/mayfly/stacks',
}

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

export interface InstallationOptions {
  readonly regions?: readonly string[]
  /** Whether it is up before the first test; true unless said otherwise. */
  readonly isUp?: boolean
  /** Called with the data directory before the first `up`. */
  readonly prepare?: (data: DataDirectory) => void
}

export interface TestInstallation {
  readonly data: DataDirectory
  readonly apiUrl: string
  readonly env: NodeJS.ProcessEnv
  /** An empty directory that goes with the installation: HOME, and a place for apps. */
  readonly home: string
  readonly apiPort: number
  readonly httpPort: number
  readonly httpsPort: number
  /** Where an app answers; `region` counts from 0. */
  url(app: string, region?: number): string
  /** `./mayfly COMMAND --data … `. */
  mayfly(command: string, ...args: string[]): Promise<Ran>
  /** The same, as a command to be run otherwise. */
  mayflyCommand(command: string, ...args: string[]): readonly string[]
  up(...args: string[]): Promise<Ran>
  /** What `./mayfly status` exits with 0 for; to ask this again and again takes no process each time. */
  isWell(): Promise<boolean>
  /** A call of the Platform API; throws unless it succeeds. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** The genuine CLI. */
  heroku(args: readonly string[], options?: RunOptions): Promise<Ran>
  git(args: readonly string[], cwd: string): Promise<Ran>
  run(command: readonly string[], options?: RunOptions): Promise<Ran>
}

/** Up before the first test of the file, gone after the last. */
export function anInstallation(options: InstallationOptions = {}): TestInstallation {
  const { installation, open, close } = installationToBe(options)
  before(open)
  after(close)
  return installation
}

/** An installation that is not up yet: for programs that are no tests. */
export function installationToBe(options: InstallationOptions = {}): {
  readonly installation: TestInstallation
  readonly open: () => Promise<void>
  readonly close: () => Promise<void>
} {
  const top = mkdtempSync(join(tmpdir(), 'mayfly-in-'))
  // Mayfly's users have to get through.
  chmodSync(top, 0o711)
  const home = join(top, 'home')
  mkdirSync(home)
  const data = dataDirectory(join(top, 'data'))
  const regions = options.regions ?? ['us', 'eu']
  let env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: home,
    LANG: 'C.UTF-8',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  }
  let ports = { api: 0, http: 0, https: 0 }

  const installation: TestInstallation = {
    data,
    home,
    get apiPort() {
      return ports.api
    },
    get httpPort() {
      return ports.http
    },
    get httpsPort() {
      return ports.https
    },
    get apiUrl() {
      return `http://localhost:${ports.api}`
    },
    get env() {
      return env
    },
    url: (app, region = 0) => `http://${app}.localhost:${ports.http + region}`,
    mayfly: (command, ...args) =>
      run(installation.mayflyCommand(command, ...args), {
        cwd: root,
        env: { ...process.env, ...ready, HOME: home },
      }),
    mayflyCommand: (command, ...args) => [
      process.execPath,
      join(root, 'bin/mayfly.ts'),
      command,
      '--data',
      data.root,
      ...args,
    ],
    async up(...args) {
      const at = [
        `--api-port=${ports.api}`,
        `--http-port=${ports.http}`,
        `--https-port=${ports.https}`,
      ]
      const more = [`--regions=${regions.join(',')}`, '--no-example', ...args]
      const start = () => installation.mayfly('up', '--detach', ...at, ...more)
      const isNew = findInstallation(data) === undefined
      const ran = await (isNew ? oneAtATime(start) : start())
      if (ran.status !== 0) return ran
      // Tests poll.
      writeFileSync(data.apiSettings, JSON.stringify({ requestsPerHour: 1_000_000 }))
      const said = await installation.mayfly('env', '--json')
      env = { ...env, ...(JSON.parse(said.stdout) as Record<string, string>) }
      return ran
    },
    async isWell() {
      if (supervisorOf(data) === undefined) return false
      const its = { data, installation: openInstallation(data), program: root }
      const parts = partsOf({ ...its, databaseUrl: undefined })
      const serve = await Promise.all(parts.map((part) => isReady(part, data)))
      return !serve.includes(false)
    },
    async api(method, path, body) {
      const response = await fetch(`${installation.apiUrl}${path}`, {
        method,
        headers: {
          accept: 'application/vnd.heroku+json; version=3',
          authorization: `Bearer ${env['HEROKU_API_KEY']}`,
          'content-type': 'application/json',
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const answer = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`)
      return JSON.parse(answer) as unknown
    },
    heroku: (args, more) =>
      run([join(root, 'node_modules/.bin/heroku'), ...args], { cwd: home, env, ...more }),
    git: (args, cwd) => run(['git', ...identity, ...args], { cwd, env }),
    run: (command, more) => run(command, { cwd: home, env, ...more }),
  }

  async function open(): Promise<void> {
    const [api = 0, http = 0] = await freePorts(1 + 2 * regions.length)
    ports = { api, http, https: http + regions.length }
    options.prepare?.(data)
    if (options.isUp === false) return
    const { status, stderr } = await installation.up()
    if (status !== 0) throw new Error(`the installation did not come up:\n${stderr}`)
  }

  async function close(): Promise<void> {
    noteId()
    const { status, stderr } = await installation.mayfly('down', '--destroy')
    if (status !== 0 && !stderr.includes('There is no installation')) {
      throw new Error(`the installation did not go:\n${stderr}`)
    }
    rmSync(top, { recursive: true })
  }

  function noteId(): void {
    const id = findInstallation(data)?.id
    if (id !== undefined) noteInstallation(id)
  }

  return { installation, open, close }
}

/**
 * Which networks are free shows once the bridges of who chose before are there: test files that
 * run side by side, in whatever run, wait for one another.
 */
async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    const turn = await claim('set-up')
    if (turn) return work().finally(() => turn.close())
    await pause(100)
  }
}

const identity = [
  '-c',
  'user.name=Test',
  '-c',
  'user.email=test@localhost',
  '-c',
  'init.defaultBranch=main',
]

function run(command: readonly string[], { cwd, env, input }: RunOptions): Promise<Ran> {
  const [file = '', ...args] = command
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { cwd, env, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const status =
          error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ status, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}
