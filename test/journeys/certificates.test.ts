/** HTTPS as users and operators have it, by the genuine CLI and against a real authority. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { dataDirectory } from '../../src/installation/data-directory.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import { aCertificate } from '../a-certificate.ts'
import { type AnAuthority, anAuthority } from '../an-authority.ts'
import { installationToBe } from '../an-installation.ts'
import { until } from '../until.ts'

const { installation, open, close } = installationToBe({ regions: ['us'] })
let authority: AnAuthority
const APP = 'secure-app'

before(async () => {
  await open()
  authority = await anAuthority(installation.httpPort)
})
after(async () => {
  await authority.end()
  await close()
})

async function heroku(...args: string[]): Promise<string> {
  const ran = await installation.heroku([...args, '--app', APP])
  assert.equal(ran.status, 0, `heroku ${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
  return ran.stdout + ran.stderr
}

/** Undefined: no connection that `ca` vouches for. */
function status(host: string, ca: string): Promise<number | undefined> {
  const at = { host: '127.0.0.1', port: installation.httpsPort, servername: host, ca }
  return new Promise((resolve) => {
    const answered = (answer: IncomingMessage) => {
      answer.resume()
      resolve(answer.statusCode)
    }
    const asked = request({ ...at, headers: { host }, agent: false }, answered)
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
}

const served = (host: string, ca: string) =>
  until(`${host} is served by TLS`, async () => (await status(host, ca)) !== undefined)

test('an app answers by HTTPS, vouched for by the installation', async () => {
  await installation.api('POST', '/apps', { name: APP })
  const { keys } = dataDirectory(installation.data.root)
  await served(`${APP}.localhost`, readFileSync(keys.routerCa, 'utf8'))
})

test('a certificate of the user`s serves a domain', async () => {
  const its = await aCertificate(['www.example.com'])
  const [chain, key] = ['chain.pem', 'key.pem'].map((it) => join(installation.home, it))
  assert.ok(chain && key)
  writeFileSync(chain, its.certificate)
  writeFileSync(key, its.privateKey)

  const added = await heroku('certs:add', chain, key)
  assert.match(added, /Common Name\(s\):\s+www\.example\.com/)
  assert.match(added, /SSL certificate is self signed/)
  const [, name = ''] = /^ *(\S+-\d{4}) /m.exec(await heroku('certs')) ?? []
  await heroku('domains:add', 'www.example.com', '--cert', name)
  await served('www.example.com', its.certificate)
  assert.match(await heroku('domains'), new RegExp(`www\\.example\\.com.*${name}`))

  const next = await aCertificate(['www.example.com'])
  writeFileSync(chain, next.certificate)
  writeFileSync(key, next.privateKey)
  await heroku('certs:update', chain, key, '--name', name, '--confirm', APP)
  await served('www.example.com', next.certificate)
  assert.match(await heroku('certs:info', '--name', name), /www\.example\.com/)
  await heroku('certs:remove', '--name', name, '--confirm', APP)
  assert.match(await heroku('certs'), /has no SSL certificates/)
})

test('an authority is asked for a certificate', async () => {
  const early = await installation.heroku(['certs:auto:enable', '--app', APP])
  assert.match(early.stderr, /operator names one by .*--acme-directory/)
  await installation.mayfly('down')
  const { directory, trustedFile } = authority
  const asked = ['--acme-directory', directory, '--acme-trusted', trustedFile]
  const up = await installation.up(...asked, '--acme-email', 'ops@example.com')
  assert.equal(up.status, 0, up.stderr)

  await heroku('domains:add', 'auto.example.com')
  await heroku('certs:auto:enable')
  const domain = `/apps/${APP}/domains/auto.example.com`
  const issued = async () => {
    const its = (await installation.api('GET', domain)) as { acm_status: string | null }
    return its.acm_status === 'cert issued'
  }
  await until('it is issued', issued, MINUTE).catch(async (error: unknown) => {
    const { stdout: log } = await installation.heroku(['logs', '--app', APP])
    assert.fail(`${String(error)}: ${await heroku('certs:auto')}${log}`)
  })
  assert.match(await heroku('certs:auto'), /auto\.example\.com +Cert issued/)
  await served('auto.example.com', await authority.root())
  assert.match(await heroku('certs'), /auto\.example\.com.* ACM/)
  await heroku('certs:auto:disable', '--confirm', APP)
  assert.match(await heroku('certs:auto'), /disabled/)
  assert.match(await heroku('certs'), /has no SSL certificates/)
})

test('the apps` domain may be another, with a certificate of the operator`s', async () => {
  await installation.mayfly('down')
  const up = await installation.up('--domain', 'apps.example.org')
  assert.equal(up.status, 0, up.stderr)
  const { keys } = dataDirectory(installation.data.root)
  await served(`${APP}.apps.example.org`, readFileSync(keys.routerCa, 'utf8'))
  assert.match(await heroku('info'), new RegExp(`http://${APP}\\.apps\\.example\\.org`))

  const its = await aCertificate(['*.apps.example.org'])
  const [chain, key] = ['wild.pem', 'wild.key'].map((it) => join(installation.home, it))
  assert.ok(chain && key)
  writeFileSync(chain, its.certificate)
  writeFileSync(key, its.privateKey)
  const wrong = await installation.mayfly('domain:certificate', chain, chain)
  assert.match(wrong.stderr, /private key is not one/)
  const taken = await installation.mayfly('domain:certificate', chain, key)
  assert.equal(taken.status, 0, taken.stderr)
  await served(`${APP}.apps.example.org`, its.certificate)
  await installation.mayfly('domain:certificate', '--remove')
  await served(`${APP}.apps.example.org`, readFileSync(keys.routerCa, 'utf8'))
})
