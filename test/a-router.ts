/** A region's router over a real HAProxy, with apps and dynos as rows, for its tests. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type Agent, createServer, type IncomingMessage, request } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

import type { Pool } from 'pg'

import { ensureRouterKeys } from '../src/installation/router-keys.ts'
import { pause, systemClock } from '../src/lib/clock.ts'
import { KEY_BYTES, secretBox } from '../src/lib/secret-box.ts'
import type { AppRouting } from '../src/model/app-routing.ts'
import type { DynoState } from '../src/model/dyno.ts'
import { type AppId, type DynoId, newId, type RegionId } from '../src/model/ids.ts'
import { lookAfterRouter, type RouterDeps } from '../src/router/look-after-router.ts'
import type { RouterTimeouts } from '../src/router/router-settings.ts'
import type { CertificateSources } from '../src/router/wanted-certificates.ts'
import { putFeature } from '../src/store/app-features.ts'
import { addSniEndpoint } from '../src/store/sni-endpoints.ts'
import type { ACertificate } from './a-certificate.ts'
import { freePort } from './free-ports.ts'
import { until } from './until.ts'

export interface ARouter {
  readonly region: { readonly id: RegionId; readonly name: string }
  readonly directory: string
  readonly port: number
  readonly tlsPort: number
  /** One look; resolves to its delay. */
  look(): Promise<number>
  /** Starts HAProxy from the files of the last look; resolves once it serves. */
  start(): Promise<void>
  /** Ends HAProxy at once. */
  kill(): Promise<void>
  /** An app with code and so many web dynos wanted. */
  app(name: string, but?: { web?: number; deployed?: boolean }): Promise<AppId>
  dyno(
    app: AppId,
    at: { address: string; port: number },
    state?: DynoState,
  ): Promise<DynoId>
  become(dyno: DynoId, state: DynoState): Promise<void>
  /** The app's release and features say so from now on. */
  wish(
    app: AppId,
    its: { routing?: AppRouting; sticky?: boolean; httpsOnly?: boolean },
  ): Promise<void>
  /** A custom domain; with a certificate, or with another from now on. */
  domain(app: AppId, hostname: string, its?: ACertificate): Promise<void>
  isRouted(dyno: DynoId): Promise<boolean>
  get(
    host: string,
    path?: string,
    headers?: Record<string, string>,
    method?: string,
  ): Promise<Got>
  /** The records that HAProxy sent to `logs`. */
  readonly records: readonly string[]
}

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export async function aRouter(
  t: TestContext,
  pool: Pool,
  {
    byTls = false,
    threads,
    ...deps
  }: Partial<RouterDeps> & {
    readonly timeouts?: RouterTimeouts
    /** It takes TLS, too. */
    readonly byTls?: boolean
    /** HAProxy's, whatever processors there are; without: one each. */
    readonly threads?: number
  } = {},
): Promise<ARouter> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-router-'))
  await chmod(directory, 0o755)
  const logSocket = join(directory, 'syslog.sock')
  const records: string[] = []
  const logs = await recordServer(logSocket, records)
  const region = {
    id: newId<'region'>(),
    name: `r${Math.random().toString(36).slice(2)}`,
  }
  const port = await freePort()
  const tlsPort = byTls ? await freePort() : null
  await pool.query(
    `insert into regions (id, name, description, country, locale, domain, http_port, https_port, subnet)
     values ($1, $2, '', '', '', 'localhost', $3, $4, '127.0.0.0/18')`,
    [region.id, region.name, port, tlsPort],
  )
  const owner = newId<'account'>()
  await pool.query('insert into accounts (id, email) values ($1, $2)', [owner, owner])
  const tls = byTls ? { tls: await keysIn(directory) } : {}
  const look = lookAfterRouter({ pool, directory, logSocket, ...tls, ...deps })

  let haproxy: ChildProcess | undefined
  t.after(async () => {
    await kill()
    logs.close()
    await rm(directory, { recursive: true })
  })

  async function kill(): Promise<void> {
    if (!haproxy || haproxy.exitCode !== null || haproxy.signalCode !== null) return
    const ended = new Promise((resolve) => haproxy?.once('exit', resolve))
    haproxy.kill('SIGTERM')
    await ended
  }

  return {
    region,
    directory,
    port,
    tlsPort: tlsPort ?? 0,
    records,
    kill,
    look: () => look(region.id, AbortSignal.timeout(30_000)),
    async start() {
      const master = join(directory, 'master.sock')
      const configs = ['-f', join(directory, 'haproxy.cfg')]
      if (threads !== undefined) {
        const its = join(directory, 'threads.cfg')
        await writeFile(its, `global\n  nbthread ${threads}\n`)
        // HAProxy 3 wants it said before anything that each thread has for itself.
        configs.unshift('-f', its)
      }
      haproxy = spawn('haproxy', ['-W', '-S', master, ...configs], { stdio: 'ignore' })
      await until('HAProxy serves', () => answers(port))
    },
    async app(name, { web = 1, deployed = true } = {}) {
      const id = newId<'app'>()
      const [slug, release] = [newId<'slug'>(), newId<'release'>()]
      await pool.query(
        `insert into apps (id, name, region, owner, stack) values ($1, $2, $3, $4, 'debian-12')`,
        [id, name, region.name, owner],
      )
      await pool.query(
        `insert into slugs (id, app, stack, process_types) values ($1, $2, 'debian-12', '{}')`,
        [slug, id],
      )
      await pool.query(
        `insert into releases (id, app, version, status, description, account, slug, config_vars)
         values ($1, $2, 1, 'succeeded', '', $3, $4, '')`,
        [release, id, owner, deployed ? slug : null],
      )
      await pool.query('update apps set current_release = $2 where id = $1', [
        id,
        release,
      ])
      await pool.query(
        `insert into formations (id, app, type, quantity, size, command)
         values (gen_random_uuid(), $1, 'web', $2, 'Standard-1X', 'web')`,
        [id, web],
      )
      return id
    },
    async dyno(app, at, state = 'up') {
      const id = newId<'dyno'>()
      await pool.query(
        `insert into dynos (id, app, formation, region, type, ordinal, release, size, command,
                            state, address, port, created_at, updated_at)
         select $1, $2, f.id, $3, 'web',
                1 + (select count(*) from dynos where app = $2), a.current_release,
                'Standard-1X', 'web', $4, $5, $6, now(), now()
           from apps a join formations f on f.app = a.id where a.id = $2`,
        [id, app, region.name, state, at.address, at.port],
      )
      return id
    },
    async become(dyno, state) {
      await pool.query('update dynos set state = $2, updated_at = now() where id = $1', [
        dyno,
        state,
      ])
    },
    async domain(app, hostname, its) {
      const endpoint = newId<'sni endpoint'>()
      if (its) {
        await addSniEndpoint(pool, {
          id: endpoint,
          app,
          acm: false,
          chain: its.certificate,
          privateKey: SECRETS.seal(its.privateKey, endpoint),
          fingerprint: createHash('sha256').update(its.certificate).digest('hex'),
          startsAt: new Date(),
          expiresAt: new Date(),
        })
      }
      await pool.query(
        `insert into domains (id, app, hostname, sni_endpoint) values ($1, $2, $3, $4)
         on conflict (hostname) do update set sni_endpoint = excluded.sni_endpoint`,
        [newId(), app, hostname, its ? endpoint : null],
      )
    },
    async wish(app, { routing, sticky, httpsOnly }) {
      if (routing !== undefined)
        await pool.query('update releases set routing = $2 where app = $1', [
          app,
          routing,
        ])
      if (sticky !== undefined)
        await putFeature(pool, app, { name: 'http-session-affinity', enabled: sticky })
      if (httpsOnly !== undefined)
        await putFeature(pool, app, { name: 'https-redirect', enabled: httpsOnly })
    },
    async isRouted(dyno) {
      const { rows } = await pool.query<{ routed: boolean }>(
        'select routed from dynos where id = $1',
        [dyno],
      )
      return rows[0]?.routed ?? false
    },
    get: (host, path = '/', headers = {}, method = 'GET') =>
      get(port, path, { host, ...headers }, false, method),
  }
}

/** `at`: a port of 127.0.0.1, or of another address. */
export async function get(
  at: number | { readonly host: string; readonly port: number },
  path: string,
  headers: Record<string, string>,
  agent: Agent | false = false,
  method = 'GET',
): Promise<Got> {
  const answer = await begunAnswer(at, path, headers, agent, method)
  const body = await text(answer)
  return { status: answer.statusCode ?? 0, headers: answer.headers, body }
}

/** An answer whose head is there. Of one that is cut the rest is an error: ECONNRESET. */
export function begunAnswer(
  ...[at, path, headers, agent, method]: Parameters<typeof get>
) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const place = typeof at === 'number' ? { host: '127.0.0.1', port: at } : at
    request({ ...place, path, headers, agent: agent ?? false, method })
      .once('response', resolve)
      .on('error', reject)
      .end()
  })
}

let dynos = 0

/** Something that answers like a dyno, on an address of its own, until the test ends. */
export async function aBackend(
  t: TestContext,
  handler: Parameters<typeof createServer>[1],
): Promise<{ address: string; port: number; close(): void; server: Server }> {
  // Node hangs up on who is idle for five seconds, perhaps as HAProxy asks for more.
  const server = createServer({ keepAliveTimeout: 0 }, handler)
  const address = `127.0.${1 + (process.pid % 200)}.${++dynos}`
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  t.after(close)
  return { address, port: (server.address() as AddressInfo).port, close, server }
}

/** From now on it takes any upgrade, listens, and hangs up once its client has. */
export function takesUpgrades({ server }: { readonly server: Server }): void {
  server.on('upgrade', (_: unknown, socket: Socket) => {
    socket
      .on('error', () => {})
      .on('end', () => socket.end())
      .resume()
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    )
  })
}

/** Opens what `domain` of a router seals. */
export const SECRETS = secretBox(Buffer.alloc(KEY_BYTES))

/** The authority for `localhost`, as an installation has it. */
async function keysIn(directory: string): Promise<CertificateSources> {
  const at = (name: string) => join(directory, name)
  const keys = {
    routerCa: at('ca.pem'),
    routerSigner: at('signer.pem'),
    routerDefault: at('default.pem'),
  }
  const drafts = await mkdtemp(at('drafts-'))
  await ensureRouterKeys(keys, { id: '000000', domain: 'localhost' }, drafts)
  return {
    authority: keys.routerSigner,
    unnamed: keys.routerDefault,
    own: at('domain.pem'),
    secrets: SECRETS,
    clock: systemClock,
  }
}

async function recordServer(path: string, records: string[]): Promise<Server> {
  const server = createTcpServer((socket) => {
    let rest = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      rest += chunk
      for (;;) {
        const [frame, length] = /^(\d+) /.exec(rest) ?? []
        const end = (frame?.length ?? 0) + Number(length)
        if (frame === undefined || rest.length < end) return
        records.push(rest.slice(frame.length, end))
        rest = rest.slice(end)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  await chmod(path, 0o666)
  return server.unref()
}

async function answers(port: number): Promise<boolean> {
  try {
    await get(port, '/', { host: 'nobody' })
    return true
  } catch {
    await pause(20)
    return false
  }
}
