/** The real logs process, in its own role of a real database, between it, files as conmon writes them, and readers. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'

import type { Pool } from 'pg'

import { dataDirectory } from '../src/installation/data-directory.ts'
import { roleOf } from '../src/installation/roles.ts'
import { KEY_BYTES } from '../src/lib/secret-box.ts'
import { type AppId, type DynoId, newId } from '../src/model/ids.ts'
import { digestOf, newToken } from '../src/model/token.ts'
import { until } from './until.ts'

const PROGRAM = join(import.meta.dirname, '../bin/logs.ts')

export interface ADyno {
  readonly id: DynoId
  readonly log: string
  /** Lines as conmon writes them. */
  print(...lines: readonly string[]): void
  /** As the runtime driver removes it. */
  remove(): void
}

export interface SessionWish {
  readonly lines?: number
  readonly tail?: boolean
  readonly source?: string
  readonly dyno?: string
  readonly account?: string
}

/** It runs before a suite's first test, and until its last. */
export function aLogsPart(pool: Pool): LogsPart {
  const logs = new LogsPart(pool)
  before(() => logs.begin())
  after(async () => {
    await logs.kill('SIGTERM')
    rmSync(logs.data.root, { recursive: true })
  })
  return logs
}

class LogsPart {
  readonly data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-logs-')))
  /** Of webhooks. */
  readonly key = randomBytes(KEY_BYTES)
  readonly #pool: Pool
  #process: ChildProcess | undefined

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async begin(): Promise<void> {
    const installation = {
      id: '000000',
      apiPort: 0,
      domain: 'localhost',
      regions: [{ name: 'us' }],
    }
    writeFileSync(this.data.installation, JSON.stringify(installation))
    mkdirSync(this.data.keys.directory)
    writeFileSync(this.data.keys.webhooks, this.key)
    writeFileSync(this.data.webhookSettings, '{"allowedNetworks": ["127.0.0.1"]}')
    await this.#pool.query(
      `insert into regions (id, name, description, country, locale, domain, http_port, subnet)
       values (gen_random_uuid(), 'us', 'here', 'here', 'here', 'localhost', 8080, '172.20.0.0/18')`,
    )
    await this.start()
  }

  async start(): Promise<void> {
    const {
      PATH,
      PGHOST = 'localhost',
      PGUSER,
      PGPASSWORD,
      NODE_COMPILE_CACHE,
    } = process.env
    const database = `postgresql:///${this.#pool.options.database}?host=${encodeURIComponent(PGHOST)}&options=${encodeURIComponent(`-c role=${roleOf('logs')}`)}`
    rmSync(this.data.readyFile('logs'), { force: true })
    this.#process = spawn(process.execPath, [PROGRAM], {
      env: {
        PATH,
        PGUSER,
        PGPASSWORD,
        NODE_COMPILE_CACHE,
        MAYFLY_DATA: this.data.root,
        DATABASE_URL: database,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await until('logs is ready', () => existsSync(this.data.readyFile('logs')))
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const exited = once(this.process, 'exit')
    this.process.kill(signal)
    await exited
  }

  /** The one that was started last. */
  get process(): ChildProcess {
    assert.ok(this.#process)
    return this.#process
  }

  async anApp(): Promise<AppId> {
    const app: AppId = newId()
    const owner = randomUUID()
    await this.#pool.query(`insert into accounts (id, email) values ($1, $2)`, [
      owner,
      `${owner}@x`,
    ])
    await this.#pool.query(
      `insert into apps (id, name, region, owner, stack) values ($1, $2, 'us', $3, 'debian-12')`,
      [app, `app-${app.slice(0, 8)}`, owner],
    )
    return app
  }

  async aDyno(app: AppId, type = 'web'): Promise<ADyno> {
    const id: DynoId = newId()
    const [formation, release] = [randomUUID(), randomUUID()]
    await this.#pool.query(
      `insert into releases (id, app, version, status, description, account, config_vars)
       select $1, id, (random() * 1e9)::integer + 1, 'succeeded', 'Deploy', owner, '' from apps where id = $2`,
      [release, app],
    )
    await this.#pool.query(
      'insert into formations (id, app, type, quantity, size) values ($1, $2, $3, 1, $4)',
      [formation, app, type, 'eco'],
    )
    await this.#pool.query(
      `insert into dynos (id, app, formation, region, type, ordinal, release, size, command, state,
                          address, port, created_at, updated_at)
       values ($1, $2, $3, 'us', $4, 1, $5, 'eco', 'run', 'down', '172.20.0.9', 5000, now(), now())`,
      [id, app, formation, type, release],
    )
    const { data } = this
    const directory = join(data.dynos('us'), id)
    const log = join(directory, 'log')
    mkdirSync(directory, { recursive: true })
    return {
      id,
      log,
      print: (...lines) =>
        appendFileSync(log, lines.map((line) => record(line)).join('')),
      remove() {
        renameSync(log, join(data.endedLogs, `${id}.log`))
        rmSync(directory, { recursive: true })
      },
    }
  }

  /** What its URL tells. */
  async aSession(app: AppId, wish: SessionWish = {}): Promise<string> {
    const {
      lines = 1500,
      tail = false,
      source = null,
      dyno = null,
      account = null,
    } = wish
    const token = newToken()
    await this.#pool.query(
      `insert into log_sessions (id, token_sha256, app, lines, tail, source, dyno, account)
       values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7)`,
      [digestOf(token), app, lines, tail, source, dyno, account],
    )
    return token
  }

  /** `session`: what its URL tells. */
  async get(session: string, headers = {}): Promise<IncomingMessage> {
    const socketPath = join(this.data.run('logs'), 'http.sock')
    const path = `/sessions/${session}`
    const [response] = (await once(
      request({ socketPath, path, headers }).end(),
      'response',
    )) as [IncomingMessage]
    return response.setEncoding('utf8')
  }

  /** A whole log as plain text: only what comes after the time of each line. */
  async read(app: AppId, wish: SessionWish = {}): Promise<string[]> {
    const response = await this.get(await this.aSession(app, wish))
    assert.equal(response.statusCode, 200)
    const text = (await response.toArray()).join('')
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace(/^\S+ /, ''))
  }

  /** A tail by Server-Sent Events; `text` grows as it comes. */
  async follow(session: string, headers = {}) {
    const response = await this.get(session, { accept: 'text/event-stream', ...headers })
    assert.equal(response.headers['content-type'], 'text/event-stream')
    let text = ''
    response.on('data', (piece: string) => (text += piece))
    response.on('error', () => {})
    // An event that was cut off is none.
    const events = () => text.slice(0, text.lastIndexOf('\n\n') + 2)
    return {
      lines: () =>
        [...events().matchAll(/^data: \S+ (.*)$/gm)].map((match) => match[1] ?? ''),
      lastId: () => [...events().matchAll(/^id: (\d+)$/gm)].at(-1)?.[1],
      text: () => text,
      close: () => response.destroy(),
    }
  }
}

let nanoseconds = 100_000_000
export function record(line: string, flag = 'F'): string {
  nanoseconds += 1
  return `2026-01-01T00:00:00.${nanoseconds}+00:00 stdout ${flag} ${line}\n`
}

export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `line ${from + index}`)
}
