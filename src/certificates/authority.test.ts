/** An authority that is not to be trusted with what it says. */

import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { authorityOf, newPrivateKey, RateLimited, Refused } from './authority.ts'

/** It asks for an answer by this token. */
async function anAuthorityWith(t: TestContext, token: string) {
  const { server, at, authority } = await aServer(t)
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
    const body = JSON.stringify(says[url] ?? {})
    response.writeHead(url === '/order' ? 201 : 200, {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      Location: `${at}${url}`,
      'Replay-Nonce': 'nonce',
    })
    response.end(body)
  })
  return { server, authority }
}

async function aServer(t: TestContext) {
  const { certificate, privateKey } = await aCertificate(['localhost'])
  const server = createServer({ cert: certificate, key: privateKey })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = `https://localhost:${(server.address() as AddressInfo).port}`
  const authority = authorityOf(
    { url: `${at}/dir`, email: null, trusted: certificate },
    { privateKey: await newPrivateKey(), url: `${at}/account` },
  )
  return { server, at, authority }
}

const { signal } = new AbortController()

test('a token is a word of the letters that it may have, or none', async (t) => {
  const { authority } = await anAuthorityWith(t, 'aB3_-')
  const { token } = await authority.order('www.example.com', signal)
  assert.equal(token, 'aB3_-')
  for (const bad of ['a\nshutdown sessions', 'a b', 'a;b', '../a', '', 'a'.repeat(201)]) {
    const its = await anAuthorityWith(t, bad)
    await assert.rejects(its.authority.order('www.example.com', signal), Refused, bad)
  }
})

test('what is asked of it goes by one connection', async (t) => {
  const { server, authority } = await anAuthorityWith(t, 'token')
  let connections = 0
  server.on('secureConnection', () => connections++)
  await authority.order('www.example.com', signal)
  await authority.order('other.example.com', signal)
  assert.equal(connections, 1)
})

test('it is waited for no longer than whoever asks may', async (t) => {
  const { server, authority } = await anAuthorityWith(t, 'token')
  const ending = new AbortController()
  server.prependListener('request', () => ending.abort(new Error('the lease ends')))
  await assert.rejects(authority.order('www.example.com', ending.signal), {
    message: 'the lease ends',
  })
})

const limits: [string, object, number, number | undefined][] = [
  ['120', { type: 'urn:ietf:params:acme:error:rateLimited' }, 403, 120_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', {}, 429, undefined],
  ['soon', {}, 429, undefined],
]
for (const [said, problem, status, expected] of limits) {
  test(`a refusal of too many, to be tried again: ${said}`, async (t) => {
    const { server, at, authority } = await aServer(t)
    server.on('request', ({ url }, response) => {
      const isOrder = url === '/order'
      response.writeHead(isOrder ? status : 200, {
        'Content-Type': 'application/json',
        'Replay-Nonce': 'nonce',
        'Retry-After': said,
      })
      const directory = { newNonce: `${at}/nonce`, newOrder: `${at}/order` }
      response.end(
        JSON.stringify(isOrder ? { ...problem, detail: 'Enough.' } : directory),
      )
    })
    await assert.rejects(authority.order('www.example.com', signal), (error) => {
      assert.ok(error instanceof RateLimited)
      assert.match(error.message, /Enough/)
      assert.equal(error.retryAfter, expected)
      return true
    })
  })
}
