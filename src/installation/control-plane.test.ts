import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

import { until, untilSeen } from '../../test/until.ts'
import { HOUR, SECOND, systemClock } from '../lib/clock.ts'
import { allReady, endParts, lacksOf } from './control-plane.ts'
import { dataDirectory } from './data-directory.ts'
import { keepPart, runningPart } from './keep-part.ts'
import { type PartSpec, partsOf } from './parts.ts'
import { Refusal } from './refusal.ts'

const UNTIL_TOLD = 100

/** Parts that are kept, and waited for. */
function aControlPlane(t: TestContext, inAll = HOUR) {
  const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-ready-')))
  mkdirSync(data.run('supervisor'), { recursive: true })
  mkdirSync(data.programLogs)
  const stop = new AbortController()
  const kept: { readonly part: PartSpec; readonly keeper: Promise<void> }[] = []
  t.after(async () => {
    stop.abort()
    await Promise.all(kept.map(({ keeper }) => keeper))
    await endParts(
      kept.map(({ part }) => part),
      data,
    )
    rmSync(data.root, { recursive: true })
  })

  const said: string[] = []
  const say = (it: string) => said.push(it)
  return {
    data,
    said,
    stop,
    isReadyFile: (name: string) => join(data.root, `${name}-is-ready`),
    keep(name: string, more: Partial<PartSpec> = {}): PartSpec {
      const part: PartSpec = {
        name,
        command: ['sleep', '1000'],
        environment: {},
        needs: undefined,
        ends: { signal: 'SIGTERM', patience: 10 * SECOND },
        endsWhole: true,
        outlivesUp: false,
        address: '',
        isReady: async () => existsSync(this.isReadyFile(name)),
        ...more,
      }
      const keeping = { data, clock: systemClock, say: () => {} }
      kept.push({ part, keeper: keepPart(part, keeping, stop.signal) })
      return part
    },
    ready: (...parts: PartSpec[]) =>
      allReady(parts, { data, say, untilTold: UNTIL_TOLD, inAll }, stop.signal),
  }
}

/** What a Refusal says. */
async function refusalOf(waiting: Promise<void>): Promise<string> {
  const error = await waiting.then(
    () => assert.fail('it was not refused'),
    (it: unknown) => it,
  )
  assert.ok(error instanceof Refusal, String(error))
  return error.message
}

test('who is late and alive is told of, again and again, and waited for', async (t) => {
  const it = aControlPlane(t)
  const [slow, quick] = [it.keep('slow'), it.keep('quick')]
  writeFileSync(it.isReadyFile('quick'), '')
  const { pid } = await untilSeen('it runs', () => runningPart(it.data, 'slow'))
  const waiting = it.ready(slow, quick)
  await until('it is told of twice', () => it.said.length >= 2)
  const log = it.data.logFile('slow')
  for (const sentence of it.said) {
    assert.match(sentence, /^Not ready after \d+ minutes, and waited for: /)
    assert.ok(sentence.endsWith(`: slow (see ${log})`), sentence)
  }
  writeFileSync(it.isReadyFile('slow'), '')
  await waiting
  assert.equal(runningPart(it.data, 'slow')?.pid, pid)
})

test('who is late and has ended meanwhile is refused, though it was begun again', async (t) => {
  const it = aControlPlane(t)
  const refusal = refusalOf(it.ready(it.keep('frail'), it.keep('slow')))
  await until('both are told of', () => it.said.length > 0)
  const frail = runningPart(it.data, 'frail')
  assert.ok(frail)
  process.kill(frail.pid, 'SIGKILL')
  const log = it.data.logFile('frail')
  assert.match(await refusal, /^Not ready after \d+ minutes, and ended: frail /)
  assert.ok((await refusal).endsWith(`frail (see ${log}).`), await refusal)
})

test('who is late and has no process is refused', async (t) => {
  const it = aControlPlane(t)
  const ghost = it.keep('ghost', { command: ['/no/such/program'] })
  assert.match(await refusalOf(it.ready(ghost)), /, and ended: ghost /)
  assert.deepEqual(it.said, [])
})

test('who waits for what another writes is waited for as that one is, and begins meanwhile', async (t) => {
  const it = aControlPlane(t)
  const needs = join(it.data.root, 'config')
  const writer = it.keep('writer')
  const reader = it.keep('reader', { needs, neededFrom: 'writer' })
  const waiting = it.ready(writer, reader)
  await until('they are told of', () => it.said.length >= 1)
  const log = it.data.logFile('writer')
  const told = `writer (see ${log}), reader, which waits for writer (see ${log})`
  assert.ok(it.said[0]?.endsWith(`: ${told}`), it.said[0])
  writeFileSync(needs, '')
  await until('the reader runs', () => runningPart(it.data, 'reader') !== undefined)
  const before = it.said.length
  await until('they are told of again', () => it.said.length > before + 1)
  for (const name of ['writer', 'reader']) writeFileSync(it.isReadyFile(name), '')
  await waiting
})

test('whoever waits for what a part writes that has ended is refused, with the log of that', async (t) => {
  const it = aControlPlane(t)
  const writer = it.keep('writer', { command: ['/no/such/program'] })
  const needs = join(it.data.root, 'config')
  const reader = it.keep('reader', { needs, neededFrom: writer.name })
  const refusal = await refusalOf(it.ready(reader))
  const log = it.data.logFile('writer')
  assert.ok(refusal.endsWith(`: reader, which waits for writer (see ${log}).`), refusal)
})

test('routers and resolvers wait for their managers, and say so', async (t) => {
  const { data, stop } = aControlPlane(t)
  const regions = ['us', 'eu'].map((name) => ({
    name,
    subnet: '10.0.0.0/18',
    httpPort: 1,
    httpsPort: 1,
  }))
  const installation = { id: 'a1b2c3', apiPort: 1, domain: 'localhost', regions }
  const parts = partsOf({ data, installation, program: '/', databaseUrl: undefined })
  assert.deepEqual(
    parts.filter((it) => it.needs).map((it) => [it.name, it.neededFrom]),
    [
      ['router-us', 'manager-us'],
      ['router-eu', 'manager-eu'],
      ['resolver-us', 'manager-us'],
      ['resolver-eu', 'manager-eu'],
    ],
  )
  const resolver = parts.find((it) => it.name === 'resolver-us')
  assert.ok(resolver)
  assert.deepEqual(
    await lacksOf([{ ...resolver, isReady: async () => false }], data, stop.signal),
    [
      `resolver-us waits for manager-us, so dynos cannot resolve names. See ${data.logFile('manager-us')}`,
    ],
  )
})

test('no wait is longer than the bound, and one that is aborted ends well', async (t) => {
  const bounded = aControlPlane(t, 20 * UNTIL_TOLD)
  const refusal = await refusalOf(bounded.ready(bounded.keep('slow')))
  assert.match(refusal, /^Not ready after \d+ minutes: slow /)
  assert.ok(bounded.said.length > 0)

  const aborted = aControlPlane(t)
  const waiting = aborted.ready(aborted.keep('slow'))
  await until('it is told of', () => aborted.said.length > 0)
  aborted.stop.abort()
  await waiting
})
