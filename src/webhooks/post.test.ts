import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { aNameServer } from '../../test/a-resolver.ts'
import { aSilentNameServer } from '../../test/a-silent-name-server.ts'
import { SECOND } from '../lib/clock.ts'
import { type PostLimits, post } from './post.ts'

const usual: PostLimits = {
  reach: { own: [], allowed: ['127.0.0.0/8'] },
  patience: 30 * SECOND,
  signal: new AbortController().signal,
}

test('names that nobody answers for hold up no others', async (t) => {
  const receiver = createServer((_, response) => response.end('ok'))
  receiver.listen(0, '127.0.0.1')
  t.after(() => receiver.close())
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  const message = (host: string) => {
    return { url: `http://${host}:${port}/`, headers: {}, body: Buffer.from('{}') }
  }
  const silent = { ...usual, nameServers: [await aSilentNameServer(t)] }
  const server = await aNameServer([
    'address=/www.example/127.0.0.1',
    'address=/out.example/10.0.0.1',
  ])
  t.after(server.close)
  const asked = { ...usual, nameServers: [server.address] }

  const stop = new AbortController()
  const dead = Array.from({ length: 30 }, (_, nth) =>
    post(message(`dead-${nth}.example`), { ...silent, signal: stop.signal }),
  )
  const first = await Promise.race([post(message('www.example'), asked), ...dead])
  assert.deepEqual(first, { code: 200 })
  assert.deepEqual(await post(message('out.example'), asked), {
    error: 'ForbiddenAddress',
  })
  assert.deepEqual(await post(message('none.example'), asked), { error: 'ENOTFOUND' })
  const impatient = { ...silent, patience: SECOND / 4 }
  assert.deepEqual(await post(message('dead.example'), impatient), {
    error: 'TimeoutError',
  })

  stop.abort()
  for (const answer of await Promise.all(dead)) {
    assert.deepEqual(answer, { error: 'ABORT_ERR' })
  }
})
