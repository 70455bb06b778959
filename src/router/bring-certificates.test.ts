/** Certificates that come, change and go, as the router has them served: none harms another, and nothing is reloaded. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aCertificate, SERVED_KEYS } from '../../test/a-certificate.ts'
import { aRouter } from '../../test/a-router.ts'
import { aStrangeCertificate } from '../../test/a-strange-certificate.ts'
import { workerOf } from '../../test/asked-of-haproxy.ts'
import { echoing, getByTls, shownTo } from '../../test/by-tls.ts'
import { aDatabase } from '../../test/postgres.ts'
import { systemClock } from '../lib/clock.ts'
import { jsonLog, silentLog } from '../lib/log.ts'
import { bringCertificates } from './bring-certificates.ts'
import { ask } from './haproxy-socket.ts'
import { LeftOutCertificates } from './left-out-certificates.ts'
import { listedAs } from './plan-certificates.ts'
import { Files } from './router-files.ts'
import { routerPaths } from './router-paths.ts'

const pool = aDatabase()

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
  // HAProxy takes it at first, and then cannot serve it; by OpenSSL 3.5 it can.
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
  const shown = await shownTo(router, 'new.example.com', 'TLSv1.3').catch(() => undefined)
  const serves = shown?.subject.CN === 'new.example.com'
  assert.equal(lines.length, serves ? 1 : 2, lines.join('\n'))
  assert.match(
    lines.join('\n'),
    /left out.*"hostname":"bad\.example\.com".*inconsistencies/,
  )
  if (!serves) {
    assert.match(
      lines.join('\n'),
      /left out.*"hostname":"new\.example\.com".*unable to load/,
    )
  }
  const trusted = good.certificate
  assert.equal((await getByTls(router, 'good.example.com', { trusted })).status, 200)
  const instead = { trusted: wild.certificate }
  assert.equal((await getByTls(router, 'bad.example.com', instead)).status, 200)
  const files = await readdir(join(router.directory, 'certificates'))
  assert.equal(files.length, serves ? 4 : 3, files.join(' '))

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
