/** The real git against a real HTTPS server that has our certificate. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { clientEnvironment } from './client-environment.ts'
import { dataDirectory, type Installation } from './data-directory.ts'
import { ensureKeys, readApiKey } from './keys.ts'
import { ensureUsers } from './users.ts'

const run = promisify(execFile)
const top = mkdtempSync(join(tmpdir(), 'mayfly-client-'))
chmodSync(top, 0o711)
const data = dataDirectory(top)
const installation = (apiPort: number): Installation => ({
  id: 'abcdef',
  apiPort,
  domain: 'localhost',
  regions: [],
})

before(async () => {
  await ensureUsers()
  mkdirSync(data.keys.directory)
  await ensureKeys(data, installation(1))
})
after(() => rmSync(top, { recursive: true }))

function environment(apiPort: number, present: Record<string, string> = {}) {
  const apiKey = readApiKey(data)
  return clientEnvironment(data, installation(apiPort), { apiKey, present })
}

test('git trusts the server and answers its question for a password', async (t) => {
  const authorizations: string[] = []
  const { keys } = data
  const server = createServer(
    { key: readFileSync(keys.privateKey), cert: readFileSync(keys.certificate) },
    (request, response) => {
      const { authorization } = request.headers
      if (authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="m"' }).end()
        return
      }
      authorizations.push(Buffer.from(authorization.slice(6), 'base64').toString())
      response
        .writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
        .end('001e# service=git-upload-pack\n00000000')
    },
  ).listen(0, 'localhost')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo

  const env = {
    // There is no heroku in it, as for who calls it by npx: git is not to complain of that.
    PATH: '/usr/bin:/bin',
    HOME: top,
    GIT_TERMINAL_PROMPT: '0',
    ...environment(port),
  }
  const remote = `https://localhost:${port}/my-app.git`
  const { stderr } = await run('git', ['ls-remote', remote], { env })
  assert.equal(stderr, '')
  assert.deepEqual(authorizations, [`heroku:${readApiKey(data)}`])
})

test('settings of git that are there stay, and ours are added once', () => {
  const theirs = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'user.name',
    GIT_CONFIG_VALUE_0: 'Me',
  }
  const once = environment(5080, theirs)
  assert.equal(once['GIT_CONFIG_COUNT'], '5')
  assert.equal(once['GIT_CONFIG_KEY_0'], undefined)
  assert.match(once['GIT_CONFIG_KEY_1'] ?? '', /sslCAInfo$/)
  assert.deepEqual(environment(5080, { ...theirs, ...once }), once)
})

test('certificates that the user trusts go into one file with ours, and nothing else does', () => {
  const theirs = join(top, 'theirs.pem')
  const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  writeFileSync(theirs, `private words\n${certificate}\n`)
  const bundle = environment(5080, { NODE_EXTRA_CA_CERTS: theirs })['NODE_EXTRA_CA_CERTS']
  const text = readFileSync(bundle ?? '', 'utf8')
  assert.ok(text.startsWith(readFileSync(data.keys.ca, 'utf8')))
  assert.ok(text.includes(certificate))
  assert.ok(!text.includes('private words'))
  const again = environment(5080, { NODE_EXTRA_CA_CERTS: bundle ?? '' })
  assert.equal(again['NODE_EXTRA_CA_CERTS'], bundle)
})

test('keys are made once', async () => {
  const { keys } = data
  const all = [keys.ca, keys.certificate, keys.privateKey, keys.configVars, keys.apiKey]
  const first = all.map((file) => readFileSync(file, 'hex'))
  await ensureKeys(data, installation(1))
  assert.deepEqual(
    all.map((file) => readFileSync(file, 'hex')),
    first,
  )
})

test('set-up killed between key and certificate makes both anew', async () => {
  rmSync(data.keys.certificate)
  await ensureKeys(data, installation(1))
  await run('openssl', ['verify', '-CAfile', data.keys.ca, data.keys.certificate])
  const ofKey = await run('openssl', ['pkey', '-in', data.keys.privateKey, '-pubout'])
  const ofCertificate = await run('openssl', [
    'x509',
    '-in',
    data.keys.certificate,
    '-noout',
    '-pubkey',
  ])
  assert.equal(ofKey.stdout, ofCertificate.stdout)
})
