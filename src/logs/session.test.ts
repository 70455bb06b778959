import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { until } from '../../test/until.ts'
import { systemClock } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { Channels } from './channels.ts'
import { KEPT_LINES } from './journal.ts'
import { answerSession } from './session.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-session-'))
const channel = new Channels(directory).of(newId())
const socketPath = join(directory, 'sock')
let response: ServerResponse

/** `/`: tails from now on, or from its Last-Event-ID; `/history`: what there is. */
const server = createServer((request, answer) => {
  response = answer
  const tail = request.url !== '/history'
  answerSession(answer, {
    session: {
      id: 'session',
      app: channel.app,
      account: null,
      source: null,
      dyno: null,
      lines: KEPT_LINES,
      tail,
    },
    channel,
    events: tail,
    seen: tail
      ? Number(request.headers['last-event-id'] ?? channel.journal.last)
      : undefined,
    clock: systemClock,
  })
})

before(async () => {
  server.listen(socketPath)
  await once(server, 'listening')
})

after(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

async function follow(headers = {}, path = '/'): Promise<IncomingMessage> {
  const asked = get({ socketPath, headers, path })
  const [incoming] = (await once(asked, 'response')) as [IncomingMessage]
  return incoming.setEncoding('latin1')
}

const LINE = `2026-01-01T00:00:00.000000+00:00 app[web.1]: ${'x'.repeat(200)}\n`
const OVERFLOW =
  /^data: \S+ heroku\[logplex\]: Error L11 \(Tail buffer overflow\) -> This tail session dropped (\d+) messages since \S+\+00:00\.$/gm

/** Bytes. */
const COSTS_LITTLE = 256 * 1024

function append(lines: number): void {
  for (let left = lines; left > 0; left -= 100) {
    const count = Math.min(left, 100)
    channel.append({ source: 'app', ps: 'web.1', count, text: LINE.repeat(count) })
  }
}

function linesIn(text: string): { readonly got: number; readonly dropped: number } {
  const dropped = [...text.matchAll(OVERFLOW)].map((match) => Number(match[1]))
  const got = text.match(/^data: \S+ app\[web\.1\]: x+$/gm)?.length ?? 0
  return { got, dropped: dropped.reduce((sum, it) => sum + it, 0) }
}

test('a reader who does not read costs little, and is told what was lost', async () => {
  const incoming = await follow()
  const lines = 100_000
  append(lines)
  assert.ok(response.writableLength < COSTS_LITTLE, `${response.writableLength} bytes`)
  let text = ''
  incoming.on('data', (piece: string) => (text += piece))
  await until('it has caught up', () => {
    const { got, dropped } = linesIn(text)
    return got + dropped === lines
  })
  assert.ok(linesIn(text).dropped > lines / 2)
  append(7)
  await until('it goes on', () => linesIn(text).got + linesIn(text).dropped === lines + 7)
  assert.equal(
    [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1],
    String(channel.journal.last),
  )
  incoming.destroy()
  await until('it is forgotten', () => channel.readers.size === 0)
})

test('a reader who was away for too long is told what was lost', async () => {
  const seen = channel.journal.last
  append(50_000)
  const incoming = await follow({ 'last-event-id': String(seen) })
  let text = ''
  incoming.on('data', (piece: string) => (text += piece))
  await until('all is told', () => linesIn(text).got + linesIn(text).dropped === 50_000)
  assert.ok(linesIn(text).got >= 1500)
  incoming.destroy()
})

test('so does who does not read a history, and gets all of it once they do', async () => {
  const lines = Array.from(
    { length: KEPT_LINES },
    (_, nth) => `${nth} ${'y'.repeat(10_000)}\n`,
  )
  for (const text of lines) channel.append({ source: 'app', ps: 'web.1', count: 1, text })
  const incoming = await follow({}, '/history')
  assert.ok(response.writableLength < COSTS_LITTLE, `${response.writableLength} bytes`)
  // What is said after it was asked for is not of it.
  append(1)
  const text = (await incoming.toArray()).join('')
  assert.ok(text === lines.join(''), `${text.length} bytes`)
  assert.equal(channel.readers.size, 0)
})
