/** An authority that is not to be trusted with what it says. */

import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { authorityOf, newPrivateKey, Refused } from './authority.ts'

/** It asks for an answer by this token. */
async function anAuthorityWith(t: TestContext, token: string) {
  const { certificate, privateKey } = await aCertificate(['localhost'])
  const server = createServer({ cert: certificate, key: privateKey })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = `https://localhost:${(server.address() as AddressInfo).port}`
  const says: Record<string, object> = {
    '/dir': { newNonce: `${at}/nonce`, newAccount: at, newOrder: `${at}/order` },
    '/order': { status: 'pending', authorizations: [`${at}/authorization`] },
    '/authorization': {
      status: 'pending',
      identifier: { type: 'dns', value: 'www.example.com' },
      challenges: [{ type: 'http-01', status: 'pending', url: at, token }],
    },
  }
  server.on('request', ({ url = '' }, response) => {
    response.writeHead(url === '/order' ? 201 : 200, {
      'Content-Type': 'application/json',
      Location: `${at}${url}`,
      'Replay-Nonce': 'nonce',
    })
    response.end(JSON.stringify(says[url] ?? {}))
  })
  return authorityOf(
    { url: `${at}/dir`, email: null, trusted: certificate },
    { privateKey: await newPrivateKey(), url: `${at}/account` },
  )
}

test('a token is a word of the letters that it may have, or none', async (t) => {
  const { token } = await (await anAuthorityWith(t, 'aB3_-')).order('www.example.com')
  assert.equal(token, 'aB3_-')
  for (const bad of ['a\nshutdown sessions', 'a b', 'a;b', '../a', '', 'a'.repeat(201)]) {
    const authority = await anAuthorityWith(t, bad)
    await assert.rejects(authority.order('www.example.com'), Refused, bad)
  }
})
