import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { connect as connectByHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { connect, type PeerCertificate } from 'node:tls'

import { aCertificate, SERVED_KEYS } from '../../test/a-certificate.ts'
import { aStrangeCertificate } from '../../test/a-strange-certificate.ts'
import { aBackend, aRouter, type ARouter, freePort } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { systemClock } from '../lib/clock.ts'
import { jsonLog, silentLog } from '../lib/log.ts'
import { parseRouterRecord } from '../logs/router-line.ts'
import { bringCertificates } from './bring-certificates.ts'
import { ask } from './haproxy-socket.ts'
import { LeftOutCertificates } from './left-out-certificates.ts'
import { listedAs } from './plan-certificates.ts'
import { Files } from './router-files.ts'
import { routerPaths } from './router-paths.ts'

const pool = aDatabase()

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** By HTTP/1.1 over TLS; `trusted` certificates alone vouch for the host. */
function getByTls(
  { tlsPort }: ARouter,
  host: string,
  it: {
    readonly trusted: string
    readonly path?: string
    readonly agent?: Agent
    readonly method?: string
    /** Whichever name the certificate is for. */
    readonly anyName?: boolean
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: tlsPort,
        servername: host,
        path: it.path ?? '/',
        method: it.method ?? 'GET',
        headers: { host },
        ca: it.trusted,
        agent: it.agent ?? false,
        ...(it.anyName ? { checkServerIdentity: () => undefined } : {}),
      },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => (body += chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body })
        })
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

/** The certificate a client of that host is shown, trusted or not. */
function shownTo(
  { tlsPort }: ARouter,
  servername: string | undefined,
  maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: tlsPort,
        ...(servername === undefined ? {} : { servername }),
        rejectUnauthorized: false,
        minVersion: maxVersion,
        maxVersion,
        // Node's own floor must not be what refuses.
        ciphers: 'DEFAULT:@SECLEVEL=0',
      },
      () => {
        resolve(socket.getPeerCertificate())
        socket.end()
      },
    )
    socket.on('error', reject)
  })
}

const authorityOf = ({ directory }: ARouter) =>
  readFileSync(join(directory, 'ca.pem'), 'utf8')

async function echoing(router: ARouter, t: Parameters<typeof aBackend>[0], name: string) {
  const app = await router.app(name)
  const backend = await aBackend(t, (asked, answer) => {
    answer.end(JSON.stringify({ name, version: asked.httpVersion, ...asked.headers }))
  })
  await router.dyno(app, backend)
  return app
}

test('a default domain is served with a certificate that the installation vouches for', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await echoing(router, t, 'plain')
  await router.look()
  await router.start()
  await router.look()
  const trusted = authorityOf(router)

  const { body, headers } = await getByTls(router, 'plain.localhost', { trusted })
  const got = JSON.parse(body) as Record<string, string>
  assert.equal(got['x-forwarded-proto'], 'https')
  assert.equal(got['x-forwarded-port'], String(router.tlsPort))
  assert.equal(headers['server'], 'Heroku')
  const byHttp = JSON.parse((await router.get('plain.localhost')).body) as typeof got
  assert.equal(byHttp['x-forwarded-proto'], 'http')
  assert.equal(byHttp['x-forwarded-port'], String(router.port))

  // What is not below its domain it may not vouch for, whoever asks.
  await assert.rejects(getByTls(router, 'bank.example.com', { trusted }))
  assert.equal((await shownTo(router, undefined)).subject.CN, 'Mayfly apps')
})

test('a custom domain is served with its own certificate, by HTTP/2, and told so in the log', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'own')
  const its = await aCertificate(['www.example.com'])
  await router.domain(app, 'www.example.com', its)
  await router.look()
  await router.start()
  await router.look()

  const session = connectByHttp2(`https://www.example.com:${router.tlsPort}`, {
    ca: its.certificate,
    host: '127.0.0.1',
    servername: 'www.example.com',
  })
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/two?a=b', 'x-request-id': 'a'.repeat(20) })
  let body = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
  await new Promise((resolve, reject) => {
    stream.on('end', resolve)
    stream.on('error', reject)
    session.on('error', reject)
  })
  const got = JSON.parse(body) as Record<string, string>
  assert.equal(got['version'], '1.1')
  assert.equal(got['via'], '2.0 heroku-router')
  assert.equal(got['host'], `www.example.com:${router.tlsPort}`)
  // The limit is the path's, whatever stands before it.
  const longest = session.request({ ':path': `/${'a'.repeat(8191)}` })
  const [answer] = (await once(longest, 'response')) as [Record<string, unknown>]
  assert.equal(answer[':status'], 200)

  const find = () =>
    router.records
      .map((it) => parseRouterRecord(it))
      .find((it) => it?.message.includes('"/two?a=b"'))
  await until('there is a line', () => find() !== undefined)
  assert.match(
    find()?.message ?? '',
    /at=info .* dyno=web\.1 .* status=200 .* protocol=http2\.0 tls=true tls_version=tls1\.3$/,
  )
})

test('a websocket goes through by HTTP/2, as browsers ask for it', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const backend = await aBackend(t, () => {})
  const seen: IncomingHttpHeaders[] = []
  backend.server.on('upgrade', ({ headers }: IncomingMessage, socket: Socket) => {
    seen.push(headers)
    const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.pipe(socket)
  })
  await router.dyno(await router.app('ws-by-two'), backend)
  await router.look()
  await router.start()
  await router.look()
  const session = connectByHttp2(`https://ws-by-two.localhost:${router.tlsPort}`, {
    ca: authorityOf(router),
    host: '127.0.0.1',
    servername: 'ws-by-two.localhost',
  })
  await once(session, 'remoteSettings')
  assert.equal(session.remoteSettings.enableConnectProtocol, true)
  // RFC 8441, 4.
  const socket = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
  })
  const [answer] = (await once(socket, 'response')) as [Record<string, unknown>]
  assert.equal(answer[':status'], 200)
  socket.write('echo!')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text))
  await until('it echoes', () => heard === 'echo!')
  assert.equal(seen[0]?.['connection'], 'upgrade')
  // It is over: that HAProxy resets what is left of the connection is no fault.
  for (const it of [session, socket]) it.on('error', () => {})
  session.destroy()
})

test('certificates come, change and go without a reload or a failed request', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'moving')
  await router.look()
  await router.start()
  await router.look()
  const worker = await workerOf(router)
  const [first, second] = [
    await aCertificate(['www.example.org']),
    await aCertificate(['www.example.org']),
  ]
  const wild = await aCertificate(['*.example.org'], { newKey: ['rsa:2048'] })

  await router.domain(app, 'www.example.org', first)
  await router.domain(app, '*.example.org', wild)
  await router.look()
  assert.equal(
    (await getByTls(router, 'www.example.org', { trusted: first.certificate })).status,
    200,
  )
  assert.equal(
    (await getByTls(router, 'any.example.org', { trusted: wild.certificate })).status,
    200,
  )

  const over = new AbortController()
  const failures: unknown[] = []
  const asking = Promise.all(
    [1, 2].map(async () => {
      const trusted = `${first.certificate}${second.certificate}`
      while (!over.signal.aborted) {
        await getByTls(router, 'www.example.org', { trusted }).catch((error: unknown) =>
          failures.push(error),
        )
      }
    }),
  )
  await router.domain(app, 'www.example.org', second)
  await router.look()
  over.abort()
  await asking
  assert.deepEqual(failures, [])
  assert.equal(
    (await getByTls(router, 'www.example.org', { trusted: second.certificate })).status,
    200,
  )
  await assert.rejects(
    getByTls(router, 'www.example.org', { trusted: first.certificate }),
  )

  await router.domain(app, 'www.example.org')
  await router.look()
  // The wildcard's is left for it.
  assert.equal(
    (await getByTls(router, 'www.example.org', { trusted: wild.certificate })).status,
    200,
  )
  assert.equal(await workerOf(router), worker, 'there was a reload')

  const directory = join(router.directory, 'certificates')
  const files = await readdir(directory)
  assert.equal(files.length, 2, files.join(' '))
  for (const file of files)
    assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
})

test('HAProxy started anew serves the certificates it had, with no manager', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'anew')
  const its = await aCertificate(['anew.example.com'])
  await router.domain(app, 'anew.example.com', its)
  await router.look()
  await router.start()
  await router.look()
  await router.kill()
  await router.start()
  assert.equal(
    (await getByTls(router, 'anew.example.com', { trusted: its.certificate })).status,
    200,
  )
})

test('a certificate of each kind that may be given is served', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'kinds')
  const kinds = await Promise.all(
    SERVED_KEYS.map(async (newKey, n) => {
      const host = `kind-${n}.example.com`
      return { host, its: await aCertificate([host], { newKey }) }
    }),
  )
  for (const { host, its } of kinds) await router.domain(app, host, its)
  await router.look()
  await router.start()
  await router.look()
  for (const { host } of kinds) {
    assert.equal((await shownTo(router, host, 'TLSv1.2')).subject.CN, host)
    assert.equal((await shownTo(router, host, 'TLSv1.3')).subject.CN, host)
  }
})

test('a certificate that HAProxy refuses is left out and told of once, and harms no other', async (t) => {
  const lines: string[] = []
  const log = jsonLog('manager', (line) => lines.push(line))
  const router = await aRouter(t, pool, { byTls: true, log })
  const app = await echoing(router, t, 'spoilt')
  const [good, other, wild] = [
    await aCertificate(['good.example.com'], { newKey: ['rsa:2048'] }),
    await aCertificate(['bad.example.com']),
    await aCertificate(['*.example.com'], { newKey: ['rsa:2048'] }),
  ]
  await router.domain(app, 'bad.example.com', {
    certificate: other.certificate,
    privateKey: good.privateKey,
  })
  // HAProxy takes it at first, and then cannot serve it.
  await router.domain(
    app,
    'new.example.com',
    aStrangeCertificate('new.example.com', 'signed in an unknown manner'),
  )
  await router.domain(app, 'good.example.com', good)
  await router.domain(app, '*.example.com', wild)
  await router.look()
  await router.start()
  for (const _ of [1, 2, 3]) await router.look()
  assert.equal(lines.length, 2, lines.join('\n'))
  assert.match(
    lines.join('\n'),
    /left out.*"hostname":"bad\.example\.com".*inconsistencies/,
  )
  assert.match(
    lines.join('\n'),
    /left out.*"hostname":"new\.example\.com".*unable to load/,
  )
  const trusted = good.certificate
  assert.equal((await getByTls(router, 'good.example.com', { trusted })).status, 200)
  const instead = { trusted: wild.certificate }
  assert.equal((await getByTls(router, 'bad.example.com', instead)).status, 200)
  const files = await readdir(join(router.directory, 'certificates'))
  assert.equal(files.length, 3, files.join(' '))

  await router.kill()
  await router.start()
  assert.equal((await getByTls(router, 'good.example.com', { trusted })).status, 200)
  const better = await aCertificate(['bad.example.com'])
  await router.domain(app, 'bad.example.com', better)
  await router.look()
  const mended = { trusted: better.certificate }
  assert.equal((await getByTls(router, 'bad.example.com', mended)).status, 200)
})

test('the certificate of before is served on where HAProxy refuses the next', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'before')
  const [first, other] = [
    await aCertificate(['before.example.com']),
    await aCertificate(['before.example.com']),
  ]
  await router.domain(app, 'before.example.com', first)
  await router.look()
  await router.start()
  await router.look()
  const { certificate } = other
  await router.domain(app, 'before.example.com', { ...first, certificate })
  for (const _ of [1, 2]) await router.look()
  const trusted = first.certificate
  assert.equal((await getByTls(router, 'before.example.com', { trusted })).status, 200)
})

test('a certificate that cannot be opened, or written, harms no other', async (t) => {
  const lines: string[] = []
  const log = jsonLog('manager', (line) => lines.push(line))
  const router = await aRouter(t, pool, { byTls: true, log })
  const app = await echoing(router, t, 'sealed')
  const hosts = ['a', 'b', 'c'].map((it) => `${it}.sealed.example.com`)
  const its = await aCertificate(hosts)
  for (const host of hosts) await router.domain(app, host, its)
  await router.look()
  await pool.query(
    `update sni_endpoints set private_key = $2
      where id = (select sni_endpoint from domains where hostname = $1)`,
    [hosts[0], Buffer.alloc(64)],
  )
  const fingerprint = createHash('sha256').update(its.certificate).digest('hex')
  const unwritable = { hostname: hosts[1] ?? '', fingerprint }
  const [{ file } = { file: '' }] = listedAs([unwritable], routerPaths(router.directory))
  await mkdir(`${file}.next`)
  await router.start()
  await router.look()
  assert.equal(lines.length, 2, lines.join('\n'))
  assert.match(lines[0] ?? '', /"hostname":"a\..*its private key cannot be opened/)
  assert.match(lines[1] ?? '', /"hostname":"b\..*EISDIR/)
  const [, , third = ''] = hosts
  const trusted = its.certificate
  assert.equal((await getByTls(router, third, { trusted })).status, 200)
})

test('a domain of the longest name is served, and others beside it', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'long')
  const end = '.example.com'
  const labels = [63, 63, 63, 253 - end.length - 3 * 64].map((it) => 'a'.repeat(it))
  const longest = `${labels.join('.')}${end}`
  assert.equal(longest.length, 253)
  const [long, short] = [
    await aCertificate(['long.example.com', longest]),
    await aCertificate(['short.example.com']),
  ]
  await router.domain(app, longest, long)
  await router.domain(app, 'short.example.com', short)
  await router.look()
  await router.start()
  await router.look()
  for (const [host, { certificate: trusted }] of [
    [longest, long],
    ['short.example.com', short],
  ] as const) {
    assert.equal((await getByTls(router, host, { trusted })).status, 200)
  }
  await router.kill()
  await router.start()
  const trusted = long.certificate
  assert.equal((await getByTls(router, longest, { trusted })).status, 200)
})

test('certificates of an earlier version, otherwise named, make way for the same', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'earlier')
  const its = await aCertificate(['earlier.example.com'])
  await router.domain(app, 'earlier.example.com', its)
  await router.look()
  const { certificates, certificateList } = routerPaths(router.directory)
  const earlier = join(certificates, 'earlier.example.com-0123456789abcdef.pem')
  await writeFile(earlier, `${its.certificate}${its.privateKey}`)
  await appendFile(certificateList, `${earlier} earlier.example.com\n`)
  await router.start()
  await router.look()
  const trusted = its.certificate
  assert.equal((await getByTls(router, 'earlier.example.com', { trusted })).status, 200)
  const list = readFileSync(certificateList, 'utf8')
  assert.ok(!list.includes(earlier), list)
  assert.equal(list.match(/earlier\.example\.com/g)?.length, 1)
  const files = await readdir(certificates)
  assert.equal(files.length, 2, files.join(' '))
})

test('of very many certificates some are brought in a look, and the rest in the next ones', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await echoing(router, t, 'very-many')
  await router.look()
  await router.start()
  const its = await aCertificate(['many.example.com'])
  const text = `${its.certificate}${its.privateKey}`
  const paths = routerPaths(router.directory)
  const deps = {
    paths,
    files: new Files(),
    defaultCertificate: join(router.directory, 'default.pem'),
    leftOut: new LeftOutCertificates(systemClock, silentLog),
  }
  const stop = new AbortController()
  let had = 0
  const served = Array.from({ length: 120 }, (_, n) => ({
    hostname: `h${n}.example.com`,
    fingerprint: 'f0',
    async text() {
      if (++had === 30) stop.abort()
      return text
    },
  }))
  const look = (signal: AbortSignal) => bringCertificates(served, deps, signal)
  const present = async () => (await readdir(paths.certificates)).length
  assert.equal(await look(stop.signal), false)
  assert.equal(await present(), 30)
  const { signal } = new AbortController()
  assert.equal(await look(signal), false)
  assert.equal(await present(), 80)
  assert.equal(await look(signal), true)
  assert.equal(await present(), 120)
  assert.equal((await shownTo(router, 'h119.example.com')).subject.CN, 'many.example.com')
})

test('the certificates of many apps below localhost are made in several looks', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const names = Array.from({ length: 60 }, (_, n) => `many-${n}`)
  for (const name of names) await router.app(name)
  await router.look()
  await router.start()
  assert.equal(await router.look(), 1)
  assert.ok((await router.look()) > 1)
  for (const name of names) {
    const host = `${name}.localhost`
    assert.equal((await shownTo(router, host)).subjectaltname, `DNS:${host}`)
  }
})

test('a change that was begun and left does not keep the next from being made', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'left')
  await router.look()
  await router.start()
  const its = await aCertificate(['left.example.com'])
  const left = join(router.directory, 'certificates', 'gone-0.pem')
  const socket = join(router.directory, 'admin.sock')
  await ask(socket, [
    `new ssl cert ${left}`,
    `set ssl cert ${left} <<\n${its.certificate}${its.privateKey}\n`,
  ])
  await router.domain(app, 'left.example.com', its)
  await router.look()
  const trusted = its.certificate
  assert.equal((await getByTls(router, 'left.example.com', { trusted })).status, 200)
})

test('TLS begins at 1.2', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await router.look()
  await router.start()
  await assert.rejects(shownTo(router, 'a.localhost', 'TLSv1.1'), /alert|version/i)
  assert.ok(await shownTo(router, 'a.localhost', 'TLSv1.2'))
  assert.ok(await shownTo(router, 'a.localhost', 'TLSv1.3'))
})

test('an app may send clients of plain HTTP to HTTPS', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'secure')
  await echoing(router, t, 'other')
  await router.wish(app, { httpsOnly: true })
  await router.look()
  await router.start()
  await router.look()

  const { status, headers } = await router.get('secure.localhost:8080', '/a%20b?c=d&e')
  assert.equal(status, 301)
  const place = `https://secure.localhost:${router.tlsPort}/a%20b?c=d&e`
  assert.equal(headers['location'], place)
  const posted = await router.get('secure.localhost', '/', {}, 'POST')
  assert.equal(posted.status, 308)
  assert.equal((await router.get('secure.localhost', '/', {}, 'HEAD')).status, 301)
  const trusted = authorityOf(router)
  assert.equal((await getByTls(router, 'secure.localhost', { trusted })).status, 200)
  assert.equal((await router.get('other.localhost')).status, 200)

  // Nobody waits for a dyno to be redirected.
  const asleep = await router.app('secure-asleep')
  await router.wish(asleep, { httpsOnly: true })
  await router.look()
  assert.equal((await router.get('secure-asleep.localhost')).status, 301)
  const kept = await router.get('secure-asleep.localhost', '/', {}, 'PUT')
  assert.equal(kept.status, 308)
  const held = getByTls(router, 'secure-asleep.localhost', { trusted })
  await until('it is held', async () => {
    const socket = join(router.directory, 'admin.sock')
    const answer = await ask(socket, ['show table held'])
    return answer.is === 'answered' && answer.text.includes(asleep)
  })
  await router.dyno(asleep, await aBackend(t, (_, it) => it.end('awake')))
  await router.look()
  assert.equal((await held).body, 'awake')
  await pool.query('update apps set maintenance = true where id = $1', [asleep])
  await router.look()
  assert.equal((await router.get('secure-asleep.localhost')).status, 503)

  await router.wish(app, { httpsOnly: false, sticky: true })
  await router.look()
  const plain = await router.get('secure.localhost')
  assert.equal(plain.status, 200)
  assert.match(String(plain.headers['set-cookie']), /heroku-session-affinity/)
})

test('who asks for an app of another region is led there as they came', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const other = await aRouter(t, pool, { byTls: true })
  await other.app('far-off')
  await echoing(router, t, 'near')
  await router.look()
  await router.start()
  await router.look()
  const page = (await router.get('far-off.localhost')).body
  assert.match(page, new RegExp(`href="http://far-off\\.localhost:${other.port}/"`))
  const trusted = authorityOf(router)
  const got = await getByTls(router, 'far-off.localhost', { trusted, anyName: true })
  assert.equal(got.status, 421)
  assert.match(
    got.body,
    new RegExp(`href="https://far-off\\.localhost:${other.tlsPort}/"`),
  )
})

test('after a reload connections of before go on, by TLS as they came', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await echoing(router, t, 'stays')
  await router.look()
  await router.start()
  await router.look()
  const trusted = authorityOf(router)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  assert.equal(
    (await getByTls(router, 'stays.localhost', { trusted, agent })).status,
    200,
  )

  // Another domain is another configuration.
  await pool.query('update regions set https_port = $2 where name = $1', [
    router.region.name,
    await freePort(),
  ])
  const before = await workerOf(router)
  await router.look()
  assert.notEqual(await workerOf(router), before)
  const handedOn = await getByTls(router, 'stays.localhost', {
    trusted,
    agent,
    path: '/on',
  })
  assert.equal(handedOn.status, 200)
  const got = JSON.parse(handedOn.body) as Record<string, string>
  assert.equal(got['x-forwarded-proto'], 'https')
  assert.equal(got['x-forwarded-for'], '127.0.0.1')
})

async function workerOf({ directory }: ARouter): Promise<string> {
  const answer = await ask(join(directory, 'admin.sock'), ['show info'])
  assert.ok(answer.is === 'answered')
  return /^Pid: (\d+)$/m.exec(answer.text)?.[1] ?? ''
}
