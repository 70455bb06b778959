/** The real logs process, killed in the middle of what it does. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'

import { secretBox } from '../src/lib/secret-box.ts'
import { type DeliveryId, PLATFORM } from '../src/model/webhook.ts'
import { type LogLine, writeLogLines } from '../src/store/log-lines.ts'
import { publish } from '../src/store/publish.ts'
import { aLogsPart, numbered } from '../test/a-logs-part.ts'
import { aWebhook } from '../test/a-webhook.ts'
import { aDatabase } from '../test/postgres.ts'
import { until } from '../test/until.ts'

const pool = aDatabase()

suite('logs, killed', () => {
  const logs = aLogsPart(pool)

  test('killed again and again, it neither loses nor doubles a line', async () => {
    const app = await logs.anApp()
    const dynos = await Promise.all([logs.aDyno(app, 'web'), logs.aDyno(app, 'worker')])
    const session = await logs.aSession(app, { tail: true, lines: 0 })
    let tail = await logs.follow(session)
    await until('the tail has begun', () => tail.lastId() !== undefined)
    let seen = tail.lastId()
    const got: string[] = []
    let number = 0
    const speak = async () => {
      const lines = numbered(20, number)
      for (const dyno of dynos) dyno.print(...lines)
      const said = lines.map((message) => ({ app, source: 'heroku', ps: 'api', message }))
      await writeLogLines(pool, said as LogLine[])
      number += 20
    }
    for (let round = 0; round < 5; round += 1) {
      const known = tail.lines().length
      await speak()
      await until('it takes lines in', () => tail.lines().length > known)
      for (let burst = 0; burst < 20; burst += 1) {
        await speak()
        if (burst === 2 * round) logs.process.kill('SIGKILL')
      }
      if (logs.process.signalCode === null) await once(logs.process, 'exit')
      await logs.start()
      got.push(...tail.lines())
      seen = tail.lastId() ?? seen
      tail = await logs.follow(session, { 'last-event-id': seen })
    }
    for (const dyno of dynos) dyno.remove()
    await until('all has come', () => got.length + tail.lines().length >= 3 * number)
    got.push(...tail.lines())
    tail.close()
    for (const from of ['app[web.1]', 'app[worker.1]', 'heroku[api]']) {
      assert.deepEqual(
        got.filter((line) => line.startsWith(from)),
        numbered(number).map((line) => `${from}: ${line}`),
      )
    }
  })

  test('killed while a webhook is told, it tells it again under the same id', async () => {
    const told: DeliveryId[] = []
    let answers = false
    const receiver = createServer((incoming, response) => {
      void (async () => {
        const text = Buffer.concat(await incoming.toArray()).toString()
        const { webhook_metadata: about } = JSON.parse(text) as {
          readonly webhook_metadata: { readonly delivery: { readonly id: DeliveryId } }
        }
        told.push(about.delivery.id)
        if (answers) response.end()
      })()
    })
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    const app = await logs.anApp()
    await aWebhook(pool, { app, url: `http://127.0.0.1:${port}/` }, secretBox(logs.key))
    const happening = { app, at: new Date(), actor: PLATFORM, data: {} }
    await publish(pool, [{ ...happening, include: 'dyno', action: 'update' }])
    await until('it is told', () => told.length === 1)

    await logs.kill('SIGKILL')
    answers = true
    // As if a minute had passed.
    await pool.query(`update work set leased_until = null where kind = 'webhook'`)
    await logs.start()
    await until('it has been told', async () => {
      const { rows } = await pool.query('select status from webhook_deliveries')
      return (rows as { status: string }[]).every((row) => row.status === 'succeeded')
    })
    assert.deepEqual(told, [told[0], told[0]])
    receiver.close()
  })
})
