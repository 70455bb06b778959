/** Lines that a dyno has begun, and not ended yet, when something happens to their reader. */

import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { later, SECOND } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { LONGEST_LINE } from '../model/log-line.ts'
import { Channels } from './channels.ts'
import { finish, parseRecords } from './cri.ts'
import { CHUNK_BYTES, DynoFile } from './dyno-file.ts'

const root = mkdtempSync(join(tmpdir(), 'mayfly-unfinished-'))
after(() => rmSync(root, { recursive: true }))

const START = new Date('2026-11-30T08:00:00Z')
const LABEL = ' app[web.1]: '

/** A dyno that prints, and who follows its file. */
class Followed {
  readonly #directory = mkdtempSync(join(root, 'dyno-'))
  readonly #path = join(this.#directory, 'log')
  readonly dyno = { id: newId<'dyno'>(), app: newId<'app'>(), place: 'web.1' }
  readonly journal = join(this.#directory, 'journals', this.dyno.app)
  #now = START
  #records = 0
  #all = ''
  #got = ''
  #file: DynoFile | undefined

  /** Each record has a time of its own, and so has each file, by its first. */
  print(stream: string, flag: 'P' | 'F', text: string): void {
    this.#records += 1
    const time = `2026-11-30T08:00:00.${String(this.#records).padStart(9, '0')}+00:00`
    const record = `${time} ${stream} ${flag} ${text}\n`
    appendFileSync(this.#path, record, 'latin1')
    this.#all += record
  }

  /** As conmon does it. */
  replaceFile(): void {
    writeFileSync(`${this.#path}.new`, '')
    renameSync(`${this.#path}.new`, this.#path)
  }

  /** So many times; left out: to the end. */
  read(times = Infinity): void {
    this.#now = later(this.#now, SECOND)
    this.#file ??= this.#follow()
    for (let read = 0; read < times && this.#file.readSome(); read++);
  }

  /** Its successor knows what is on disk alone. */
  kill(): void {
    this.#file?.close()
    this.#file = undefined
  }

  /** What readers got, and what they should have. */
  end(): [string, string] {
    this.read()
    this.#file?.finish()
    const all = parseRecords(this.#all, LABEL, {})
    return [this.#got, all.text + finish(all.unfinished, LABEL).text]
  }

  get journalBytes(): number {
    const names = readdirSync(this.journal)
    return names.reduce((sum, it) => sum + statSync(join(this.journal, it)).size, 0)
  }

  get offset(): number {
    return statSync(this.#path).size
  }

  #follow(): DynoFile {
    const channel = new Channels(join(this.#directory, 'journals')).of(this.dyno.app)
    channel.readers.add({ take: ({ text }) => (this.#got += text), end() {} })
    return new DynoFile(this.dyno, this.#path, channel, { now: () => this.#now })
  }
}

/** Two records of conmon's, which splits what it reads. */
function printLongest(it: Followed, stream: string, letter: string): void {
  it.print(stream, 'P', letter.repeat(LONGEST_LINE / 2))
  it.print(stream, 'P', letter.repeat(LONGEST_LINE / 2 - 1))
}

test('a line that is begun is not written down again with each of the other stream', () => {
  const it = new Followed()
  printLongest(it, 'stdout', '\x01')
  for (let line = 0; line < 1000; line += 1) {
    it.print('stderr', 'F', `${line}`)
    it.read()
  }
  assert.ok(it.journalBytes < 1024 ** 2, `${it.journalBytes} bytes`)
  it.kill()
  it.print('stdout', 'F', '!')
  const [got, expected] = it.end()
  assert.equal(got, expected)
})

test('nor does one that grows cost more than it has bytes', () => {
  const it = new Followed()
  for (let line = 0; line < 1000; line += 1) {
    it.print('stdout', 'P', '\x01'.repeat(9))
    it.print('stderr', 'F', `${line}`)
    it.read()
  }
  assert.ok(it.journalBytes < 1024 ** 2, `${it.journalBytes} bytes`)
  const [got, expected] = it.end()
  assert.equal(got, expected)
})

test('a line that began in a file that was replaced since is whole', () => {
  for (const killed of [false, true]) {
    const it = new Followed()
    it.print('stdout', 'F', 'before')
    it.print('stdout', 'P', 'one ')
    it.read()
    it.replaceFile()
    it.read()
    if (killed) it.kill()
    it.print('stderr', 'F', 'other')
    it.read()
    if (killed) it.kill()
    it.print('stdout', 'F', 'two')
    const [got, expected] = it.end()
    assert.equal(got, expected)
    assert.match(got, /: one two\n$/)
  }
})

test('what a journal of before says of unfinished lines is heeded', () => {
  const it = new Followed()
  it.print('stdout', 'P', 'not read again')
  const { offset } = it
  mkdirSync(it.journal, { recursive: true })
  const time = '2026-11-30T08:00:00.000000+00:00'
  const unfinished = { stdout: { time, text: 'as it was kept, ' } }
  const beginning = '2026-11-30T08:00:00.000000001+00:00'.slice(0, 30)
  const positions = { [it.dyno.id]: { beginning, offset, unfinished } }
  const header = { first: 1, count: 0, source: '', ps: '', bytes: 0, positions, rows: [] }
  writeFileSync(join(it.journal, '1.log'), `${JSON.stringify(header)}\n`)
  it.print('stderr', 'F', 'other')
  it.read()
  it.kill()
  it.print('stdout', 'F', 'and its end')
  const [got] = it.end()
  assert.match(got, /: other\n.*: as it was kept, and its end\n$/)
})

test('whatever is begun, killed and replaced, each line comes once and whole', () => {
  const stream = fc.constantFrom('stdout', 'stderr')
  const length = fc.oneof(fc.nat(20), fc.nat(8000))
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constantFrom('P', 'F'), stream, length) },
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constant('read'), fc.integer({ min: 1, max: 5 })),
    },
    { weight: 3, arbitrary: fc.constant(['kill'] as const) },
    { weight: 1, arbitrary: fc.constant(['replace'] as const) },
    { weight: 1, arbitrary: fc.constant(['much'] as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const it = new Followed()
      it.print('stdout', 'F', 'first')
      for (const [what, ...its] of steps) {
        if (what === 'P' || what === 'F') {
          it.print(String(its[0]), what, 'é'.repeat(Number(its[1]) / 2))
        } else if (what === 'read') it.read(Number(its[0]))
        else if (what === 'kill') it.kill()
        else if (what === 'much') {
          // More than is read again.
          for (let record = 0; record < 40; record += 1) {
            it.print('stderr', 'P', 'x'.repeat(CHUNK_BYTES / 8))
          }
        } else {
          // What is in no file any more has been read.
          it.read()
          it.replaceFile()
          it.read()
        }
      }
      const [got, expected] = it.end()
      assert.ok(got === expected)
    }),
    fuzzRuns({ usual: 200, soaked: 2000 }),
  )
})
