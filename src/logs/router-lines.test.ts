import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { until } from '../../test/until.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { newId } from '../model/ids.ts'
import { Channels } from './channels.ts'
import { RouterCounts } from './router-counts.ts'
import { routerLineServer } from './router-lines.ts'

const top = mkdtempSync(join(tmpdir(), 'mayfly-router-lines-'))
const socket = join(top, 'syslog.sock')
const channels = new Channels(join(top, 'logs'))
const app = newId<'app'>()
/** A record of the tests': a number, or nothing of ours. */
const parse = (record: string) =>
  /^\d+$/.test(record)
    ? { app, at: 0, message: `at=info n=${record}`, measure: aMeasure() }
    : undefined
const server = routerLineServer({
  channels,
  parse,
  counts: new RouterCounts(systemClock),
  log: silentLog,
})
server.listen(socket)
after(() => {
  server.close()
  rmSync(top, { recursive: true })
})

test('records of any number, cut anywhere, are lines in their order', async () => {
  const numbers = Array.from({ length: 20_000 }, (_, n) => `${n}`)
  const bytes = numbers.map((it) => `${it.length} ${it}`).join('')
  const haproxy = connect(socket)
  for (let at = 0; at < bytes.length; at += 1001)
    haproxy.write(bytes.slice(at, at + 1001))
  await until(
    'all lines are there',
    () => channels.of(app).journal.last === numbers.length,
  )
  haproxy.end('3 odd2 in')
  await once(haproxy, 'close')

  const read = [...channels.of(app).journal.read()]
  const kept = read.flatMap(({ text }) => text.match(/n=\d+/g))
  const expected = numbers.slice(-kept.length).map((it) => `n=${it}`)
  assert.ok(kept.length >= 1500)
  assert.deepEqual(kept, expected)
})

test('on a full disk lines are lost, and nothing else is', async (t) => {
  const disk = aSmallDisk(t, 256 * 1024)
  const { journal } = new Channels(disk.mount).of(app)
  const said: string[] = []
  const small = routerLineServer({
    channels: new Channels(disk.mount),
    parse,
    counts: new RouterCounts(systemClock),
    log: { ...silentLog, error: (message) => said.push(message) },
  })
  small.listen(join(top, 'small.sock'))
  const haproxy = connect(join(top, 'small.sock'))
  const ask = (digits: string) => haproxy.write(`${digits.length} ${digits}`)
  const lines = () => [...journal.read()].map(({ text }) => text.trim().slice(-3))

  ask('1')
  await until('it is kept', () => lines().includes('n=1'))
  disk.fill()
  ask('7'.repeat(10_000))
  await until('it is said to be lost', () => said.length > 0)
  ask('7'.repeat(10_000))
  disk.empty()
  ask('2')
  await until('the next is kept', () => lines().includes('n=2'))
  assert.deepEqual(lines()[0], 'n=1')
  assert.deepEqual(said, ["lines of the routers' are lost"])
  haproxy.end()
  await once(haproxy, 'close')
  small.close()
})

test('who sends no frames is cut off', async () => {
  const stranger = connect(socket)
  stranger.write('<134>Jan 1 message')
  await once(stranger, 'close')
})

function aMeasure() {
  return { status: 200, code: undefined, service: 1, connect: 0, queue: 0 }
}
