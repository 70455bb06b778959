/** The genuine CLI, the real API, what delivers webhooks, and a receiver. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'

import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import type { App } from '../src/model/app.ts'
import type { Payload } from '../src/model/webhook.ts'
import { WEBHOOKS } from '../src/store/webhooks.ts'
import { heedHappenings } from '../src/webhooks/heed-happenings.ts'
import { lookAfterWebhook } from '../src/webhooks/look-after-webhook.ts'
import { runLoop } from '../src/work/loop.ts'
import { anApi } from './an-api.ts'
import { envOfCli } from './env-of-cli.ts'
import { anApp, secrets } from './an-app.ts'
import { aDatabase } from './postgres.ts'
import { until } from './until.ts'

const cli = join(import.meta.dirname, '../node_modules/.bin/heroku')
const run = promisify(execFile)

const pool = aDatabase()
const home = mkdtempSync(join(tmpdir(), 'mayfly-cli-'))
const reach = { own: [], allowed: ['127.0.0.1'] }
const ended = new AbortController()
const received: Payload[] = []
let env: NodeJS.ProcessEnv
let app: App
let url = ''
let id = ''
let end: () => Promise<void>

const receiver = createServer((request, response) => {
  void (async () => {
    received.push(
      JSON.parse(Buffer.concat(await request.toArray()).toString()) as Payload,
    )
    response.end('thanks')
  })()
})

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port
}

async function heroku(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(cli, [...args, '--app', app.name], { env })
  return stdout + stderr
}

suite('webhooks by the CLI', () => {
  before(async () => {
    const { server, token } = await anApi(pool, { reach })
    await server.listen({ port: 0, host: '127.0.0.1' })
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    url = `http://127.0.0.1:${portOf(receiver)}/hook`
    const made = await anApp(pool)
    await made.deploy()
    app = made.app
    env = {
      ...envOfCli,
      HOME: home,
      HEROKU_HOST: `http://127.0.0.1:${portOf(server.server)}`,
      HEROKU_API_KEY: token,
    }
    const webhook = lookAfterWebhook({
      pool,
      secrets,
      clock: systemClock,
      reach: () => reach,
    })
    const loop = runLoop(
      { pool, region: WEBHOOKS, looks: { webhook }, log: silentLog, overdue: () => {} },
      ended.signal,
    )
    const heeding = heedHappenings({ pool, log: silentLog }, ended.signal)
    end = async () => {
      ended.abort()
      await Promise.all([loop, heeding, server.close()])
    }
  })
  after(async () => {
    await end()
    receiver.close()
    receiver.closeAllConnections()
    rmSync(home, { recursive: true })
  })

  test('webhooks:add says the secret', async () => {
    const what = ['-i', 'api:release', '-l', 'notify', '-u', url]
    assert.match(await heroku('webhooks:add', ...what), /Signing Secret\s+[0-9a-f]{60}/)
    const listed = await heroku('webhooks')
    assert.ok(listed.includes(url) && listed.includes('api:release'), listed)
    id = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(listed)?.[0] ?? ''
    const info = await heroku('webhooks:info', id)
    assert.match(info, /Level:\s+notify/)
  })

  test('webhooks:update changes what it hears of', async () => {
    const what = ['-i', 'api:release,api:formation', '-l', 'sync', '-u', url]
    await heroku('webhooks:update', id, ...what)
    const info = await heroku('webhooks:info', id)
    assert.match(info, /Include:\s+api:release,api:formation/)
    assert.match(info, /Level:\s+sync/)
  })

  test('a release and a scaling are told of, and listed', async () => {
    await heroku('config:set', 'A=b')
    await heroku('ps:scale', 'worker=2')
    await until('all was told', () => received.length >= 3)
    assert.deepEqual(
      received.map((it) => `${it.resource} ${it.action}`),
      ['release create', 'release update', 'formation update'],
    )
    const [created, current, scaled] = received
    assert.ok(created && current && scaled)
    assert.equal(created.actor.email, 'dev@example.com')
    assert.partialDeepStrictEqual(created.data, {
      description: 'Set A config vars',
      current: false,
    })
    assert.partialDeepStrictEqual(current.data, { current: true, status: 'succeeded' })
    assert.partialDeepStrictEqual(scaled.data, { type: 'worker', quantity: 2 })
    assert.partialDeepStrictEqual(scaled.previous_data, { quantity: 0 })

    await until('all is known to be told', async () => {
      const deliveries = await heroku('webhooks:deliveries')
      return deliveries.match(/succeeded/g)?.length === 3
    })
    const deliveries = await heroku('webhooks:deliveries', '--status', 'succeeded')
    const first = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(deliveries)?.[0] ?? ''
    const one = await heroku('webhooks:deliveries:info', first)
    assert.match(one, /Code:\s+200/)
    assert.match(one, /"resource": "release"/)
    const events = await heroku('webhooks:events')
    assert.match(events, /formation\s+update/)
    const event = received[0]?.id ?? ''
    assert.match(await heroku('webhooks:events:info', event), /Set A config vars/)
  })

  test('webhooks:remove ends it', async () => {
    await heroku('webhooks:remove', id)
    assert.match(await heroku('webhooks'), /has no webhooks/)
  })
})
