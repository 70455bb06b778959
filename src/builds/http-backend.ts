/** One request, answered by `git http-backend` as CGI: both bodies stream. */

import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

import { GiB } from '../lib/bytes.ts'
import { NO_DISK_ROOM, whileThereIsRoom } from '../lib/disk-room.ts'
import { pour } from '../lib/pour.ts'
import { unlessStalled } from '../lib/unless-stalled.ts'
import type { App } from '../model/app.ts'
import type { Bearer } from '../store/accounts.ts'
import { repositoryName } from './git-repository.ts'
import type { GitServerDeps } from './git-server.ts'
import { boundedGit, GIT_ENVIRONMENT } from './run-git.ts'

const PACK_LIMIT = GiB
/** Where there is too little memory for all of git's, one of its programs is ended, not the part. */
const FIRST_TO_GO = ['--adjust', '500', '--']
/** Characters of what git says on its standard error. */
const COMPLAINTS_LIMIT = 4096

export interface GitExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly app: App
  readonly account: Bearer
  /** `info/refs`. */
  readonly resource: string
}

/**
 * Resolves when git has ended, however; whoever called ends the response. If the client goes away, git finds
 * that out by its closed pipes; a build that it has begun goes on.
 */
export async function serveByGit(
  exchange: GitExchange,
  deps: GitServerDeps,
): Promise<void> {
  const { request, response, resource } = exchange
  const isPush = resource === 'git-receive-pack'
  const [program, args] = boundedGit('http-backend')
  const git = spawn('choom', [...FIRST_TO_GO, program, ...args], {
    cwd: '/',
    env: cgiEnvironment(exchange, deps),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaints = ''
  git.stderr.setEncoding('utf8')
  git.stderr.on('data', (piece: string) => {
    complaints = (complaints + piece).slice(-COMPLAINTS_LIMIT)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    git.once('error', reject)
    git.once('close', resolve)
  })
  let refusal: string | undefined
  const upload = whileThereIsRoom(unlessStalled(request), deps.data.repos, () => {
    refusal = NO_DISK_ROOM
    git.stdin.destroy()
  })
  // Git may answer without reading on, and the client may leave: both are theirs to do.
  void pour(isPush ? upload : unlessStalled(request), git.stdin)
  await relay(git.stdout, response, () => refusal).catch((error: unknown) => {
    git.stdout.destroy()
    if (!response.destroyed) throw error
  })
  const status = await ended
  if (status !== 0) {
    const said = complaints.trim()
    deps.log.info('git ended badly', { app: exchange.app.name, status, said })
  }
  if (refusal !== undefined) {
    const app = exchange.app.name
    deps.log.error('a push was turned away half-way', new Error(refusal), { app })
  }
}

/** What old programs wrote wrong, and histories still have (git-fsck(1)). */
const HARMLESS = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
]

function cgiEnvironment(
  { request, app, account, resource }: GitExchange,
  { data, hooks, hookEnvironment }: GitServerDeps,
): Record<string, string> {
  const { headers } = request
  return {
    ...GIT_ENVIRONMENT,
    ...gitSettings({
      'http.receivepack': 'true',
      'core.hooksPath': hooks,
      'receive.maxInputSize': String(PACK_LIMIT),
      'receive.fsckObjects': 'true',
      // Else what is a few bytes more than another object becomes a file as large as that.
      'receive.unpackLimit': '1',
      // Nor is it to become one when it is packed anew, which git does once there are fifty packs.
      'gc.cruftPacks': 'true',
      ...Object.fromEntries(HARMLESS.map((it) => [`receive.fsck.${it}`, 'ignore'])),
      // So that what is right finds room within the limit of memory.
      'core.packedGitWindowSize': '32m',
      'core.packedGitLimit': '512m',
      'core.bigFileThreshold': '64m',
      'pack.windowMemory': '256m',
      'pack.threads': '4',
      // Whatever git starts must end with its request.
      'gc.autoDetach': 'false',
    }),
    ...hookEnvironment,
    MAYFLY_APP: app.id,
    MAYFLY_ACCOUNT: account.id,
    MAYFLY_AUTHORIZATION: account.authorization,
    GIT_PROJECT_ROOT: data.repos,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: header(headers['git-protocol']),
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: `/${repositoryName(app.id)}/${resource}`,
    QUERY_STRING: (request.url ?? '').split('?')[1] ?? '',
    CONTENT_TYPE: header(headers['content-type']),
    // Without CONTENT_LENGTH git reads to the end. With it, it would wait for what a client that has
    // gone did not send, by asking for it again and again.
    HTTP_CONTENT_ENCODING: header(headers['content-encoding']),
    REMOTE_USER: account.email,
    REMOTE_ADDR: '127.0.0.1',
  }
}

function header(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : ''
}

function gitSettings(settings: Record<string, string>): Record<string, string> {
  const entries = Object.entries(settings)
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(entries.length)],
    ...entries.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]) as Record<string, string>
}

const HEADERS_LIMIT = 64 * 1024

/**
 * CGI's headers become the response's; the rest is the body. Where there is a `refusal` by the time that
 * the body begins, for git says nothing of what it still reads, the response is that.
 */
async function relay(
  output: AsyncIterable<Buffer>,
  response: ServerResponse,
  refusal: () => string | undefined,
): Promise<void> {
  let head = Buffer.alloc(0)
  let state: 'head' | 'body' | 'refused' = 'head'
  await pipeline(
    output,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        if (state === 'body') yield piece
        if (state !== 'head') continue
        head = Buffer.concat([head, piece])
        const end = endOf(head)
        if (end === undefined && head.length >= HEADERS_LIMIT) break
        if (end !== undefined && head.length > end) yield* begin()
      }
      if (state === 'head') yield* begin()
    },
    response,
    { end: false },
  )

  function* begin(): Generator<string | Buffer> {
    const end = endOf(head)
    const refused = refusal()
    state = refused === undefined ? 'body' : 'refused'
    if (refused !== undefined) {
      response.writeHead(503, { 'content-type': 'text/plain' })
      yield `${refused}\n`
    } else if (end === undefined) response.statusCode = 500
    else {
      applyHead(head.toString('latin1', 0, end), response)
      if (head.length > end) yield head.subarray(end)
    }
  }
}

/** Where the body begins. */
function endOf(head: Buffer): number | undefined {
  const at = head.indexOf('\r\n\r\n')
  return at < 0 ? undefined : at + 4
}

function applyHead(text: string, response: ServerResponse): void {
  for (const line of text.trimEnd().split('\r\n')) {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()]
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value)
    else response.setHeader(name, value)
  }
  // What a build prints must not wait for more of it.
  response.flushHeaders()
}
