import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { SECOND } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { Channels } from './channels.ts'
import { DynoFile } from './dyno-file.ts'
import { BURST, LINES } from './log-quota.ts'

const START = Date.parse('2026-11-27T08:00:00Z')

interface Follower {
  readonly file: DynoFile
  /** Reads so many chunks; left out: to the end. */
  read(chunks?: number): void
  print(lines: number): void
  wait(milliseconds: number): void
  /** A successor that knows what is on disk alone. */
  killed(): Follower
}

/** A dyno whose file is followed; what is appended for its readers goes to `got`. */
function aFollower(
  t: TestContext,
  got: string[],
  { journals }: { readonly journals?: string } = {},
): Follower {
  const directory = mkdtempSync(join(tmpdir(), 'dyno-file-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'log')
  const dyno = { id: newId<'dyno'>(), app: newId<'app'>(), place: 'web.1' }
  let now = START
  let printed = 0

  function follow(): Follower {
    const channel = new Channels(journals ?? join(directory, 'journals')).of(dyno.app)
    channel.readers.add({
      take: ({ text }) => got.push(...text.split('\n').slice(0, -1)),
      end() {},
    })
    const file = new DynoFile(dyno, path, channel, { now: () => new Date(now) })
    return {
      file,
      read(chunks = Infinity) {
        for (let read = 0; read < chunks && file.readSome(); read++);
      },
      print(lines) {
        const records = Array.from(
          { length: lines },
          () => `2026-11-27T08:00:00.123456789+00:00 stdout F ${printed++}\n`,
        )
        appendFileSync(path, records.join(''))
      },
      wait: (milliseconds) => (now += milliseconds),
      killed: follow,
    }
  }
  return follow()
}

const AT = '2026-11-27T08:00:00.123456+00:00'

test('what is beyond the quota is dropped, and a line says how much, at most once a second', (t) => {
  const got: string[] = []
  const it = aFollower(t, got)
  it.print(LINES * BURST * 2)
  it.read()
  const told = got.filter((line) => line.includes('L12'))
  assert.equal(told.length, 1)
  it.wait(SECOND)
  it.read()
  const shown = kept(got).length
  assert.ok(shown >= LINES * BURST && shown < LINES * BURST + 2000, `${shown}`)
  assert.equal(
    got.at(-1),
    `2026-11-27T08:00:01.000000+00:00 app[log-shuttle]: Error L12: ${LINES * BURST * 2 - shown - lost(got.slice(0, -1))} messages dropped since ${AT}`,
  )
})

test('what follows when there is room again is kept, after the line that tells', (t) => {
  const got: string[] = []
  const it = aFollower(t, got)
  it.print(LINES * (BURST + 1))
  it.read()
  it.wait(SECOND)
  const before = got.length
  it.print(10)
  it.read()
  const [told = '', ...rest] = got.slice(before)
  assert.match(told, /L12/)
  assert.deepEqual(
    rest,
    Array.from({ length: 10 }, (_, n) => `${AT} app[web.1]: ${LINES * (BURST + 1) + n}`),
  )
})

test('a dyno that has ended is told of at once', (t) => {
  const got: string[] = []
  const it = aFollower(t, got)
  it.print(LINES * (BURST + 2))
  it.read()
  it.file.finish()
  assert.equal(kept(got).length + lost(got), LINES * (BURST + 2))
})

test('killed anywhere, every line is kept once or counted once', (t) => {
  for (const chunks of [1, 50, 77, 78, 79, 80, 90, 120]) {
    const got: string[] = []
    let it = aFollower(t, got)
    for (let round = 0; round < 4; round++) {
      it.print(LINES * 3)
      it.read(chunks)
      it = it.killed()
      it.wait(SECOND / 2)
    }
    it.read()
    it.file.finish()
    const numbers = kept(got)
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((a, b) => a - b),
    )
    assert.equal(numbers.length + lost(got), LINES * 12, `${chunks} chunks a round`)
  }
})

test('what a full disk had no room for is read again, and is in its place', (t) => {
  const disk = aSmallDisk(t, 1024 ** 2)
  const got: string[] = []
  const it = aFollower(t, got, { journals: disk.mount })
  it.print(10)
  it.read()
  disk.fill()
  it.print(20_000)
  for (let times = 0; times < 3; times++) assert.throws(() => it.read(), /ENOSPC/)
  disk.empty()
  it.print(10)
  it.read()
  const all = Array.from({ length: 20_020 }, (_, n) => n)
  assert.deepEqual(kept(got), all)
})

function kept(lines: readonly string[]): number[] {
  return lines
    .filter((line) => line.includes('app[web.1]'))
    .map((line) => Number(line.split(' ').at(-1)))
}

function lost(lines: readonly string[]): number {
  return lines
    .map((line) => Number(/ L12: (\d+) messages/.exec(line)?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0)
}
