import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { type DynoId, newId } from '../model/ids.ts'
import { LONGEST_LINE } from '../model/log-line.ts'
import { Journal, KEPT_LINES, LARGEST_SEGMENT } from './journal.ts'

const root = mkdtempSync(join(tmpdir(), 'mayfly-journal-'))
after(() => rmSync(root, { recursive: true }))

let journals = 0
function aDirectory(): string {
  journals += 1
  return join(root, String(journals))
}

function some(text: string, count = 1) {
  return { source: 'app', ps: 'web.1', count, text: `${text}\n` }
}

const dyno: DynoId = newId()
function at(offset: number) {
  return { beginning: 'then', offset, unfinished: {} }
}

test('a journal taken up again goes on where it was', () => {
  const directory = aDirectory()
  const first = new Journal(directory)
  first.append(some('one\ntwo', 2), { dyno: { id: dyno, position: at(7) } })
  first.append(some('é'), { rows: ['12'] })

  const second = new Journal(directory)
  assert.equal(second.last, 3)
  assert.deepEqual(second.position(dyno), at(7))
  assert.ok(second.holds('12') && !second.holds('13'))
  assert.equal(second.append(some('four')).first, 4)
  assert.deepEqual(
    [...second.read()].map((batch) => [batch.first, batch.text]),
    [
      [1, 'one\ntwo\n'],
      [3, 'é\n'],
      [4, 'four\n'],
    ],
  )
})

test('a torn last record is as if it had never been', () => {
  const directory = aDirectory()
  new Journal(directory).append(some('whole'), { dyno: { id: dyno, position: at(1) } })
  const path = join(directory, '1.log')
  const whole = statSync(path).size
  new Journal(directory).append(some('torn'), { dyno: { id: dyno, position: at(2) } })
  const size = statSync(path).size
  for (let end = size - 1; end > whole; end -= 1) {
    truncateSync(path, end)
    const journal = new Journal(directory)
    assert.deepEqual(journal.position(dyno), at(1))
    assert.equal(journal.last, 1)
    assert.equal(statSync(path).size, whole)
    journal.append(some('torn'), { dyno: { id: dyno, position: at(2) } })
  }
})

test('zeros left by a power failure are cut off', () => {
  const directory = aDirectory()
  new Journal(directory).append(some('whole'))
  appendFileSync(join(directory, '1.log'), Buffer.alloc(4096))
  const journal = new Journal(directory)
  journal.append(some('next'))
  assert.deepEqual(
    [...journal.read()].map((batch) => batch.text),
    ['whole\n', 'next\n'],
  )
})

test('old segments go, positions and the last 1,500 lines stay', () => {
  const directory = aDirectory()
  const journal = new Journal(directory)
  journal.append(some('from a dyno'), {
    dyno: { id: dyno, position: at(9) },
    rows: ['1'],
  })
  const text = 'x'.repeat(1000)
  for (let line = 0; line < 4 * KEPT_LINES; line += 1) journal.append(some(text))

  assert.equal(readdirSync(directory).length, 2)
  const kept = [...journal.read()]
  assert.ok(kept.length >= KEPT_LINES && kept.length < 3 * KEPT_LINES)
  assert.equal(kept.at(-1)?.first, 4 * KEPT_LINES + 1)
  assert.deepEqual([...journal.read(4 * KEPT_LINES)], kept.slice(-1))
  const again = new Journal(directory)
  assert.deepEqual(again.position(dyno), at(9))
  assert.ok(again.holds('1'))
})

test('whatever is known with each line, a journal has two largest segments at most', () => {
  const directory = aDirectory()
  const journal = new Journal(directory)
  const text = 'x'.repeat(100_000)
  for (let line = 1; line <= 1000; line += 1) {
    const unfinished = { stdout: { time: '', text } }
    const position = { beginning: 'then', offset: line, unfinished }
    journal.append(some('line'), { dyno: { id: dyno, position } })
  }
  assert.equal(journal.last, 1000)
  const sizes = readdirSync(directory).map((it) => statSync(join(directory, it)).size)
  assert.equal(sizes.length, 2)
  for (const size of sizes) assert.ok(size < LARGEST_SEGMENT + 1024 ** 2, `${size}`)
  assert.equal(new Journal(directory).position(dyno)?.unfinished['stdout']?.text, text)
})

test('1,500 of the longest lines have room', () => {
  const journal = new Journal(aDirectory())
  const text = 'x'.repeat(LONGEST_LINE + 100)
  for (let line = 1; line <= 3 * KEPT_LINES; line += 1) {
    journal.append(some(text), { dyno: { id: dyno, position: at(line) } })
    if (line % 250 === 0 && line >= KEPT_LINES) {
      const kept = [...journal.read()].reduce((sum, { count }) => sum + count, 0)
      assert.ok(kept >= KEPT_LINES, `${kept} of ${line}`)
    }
  }
})

test('killed while it began a segment, it goes on with the one before', () => {
  const directory = aDirectory()
  new Journal(directory).append(some('whole'), { dyno: { id: dyno, position: at(3) } })
  writeFileSync(join(directory, '2.log'), '{"first":2,"cou')
  const journal = new Journal(directory)
  assert.deepEqual(journal.position(dyno), at(3))
  assert.equal(journal.append(some('next')).first, 2)
})

test("a dyno's position can be forgotten for good", () => {
  const directory = aDirectory()
  const journal = new Journal(directory)
  journal.append(some('line'), { dyno: { id: dyno, position: at(3) } })
  journal.forget(dyno)
  assert.equal(journal.position(dyno), undefined)
  assert.equal(new Journal(directory).position(dyno), undefined)
})

test('a reader gets what is appended while it reads, and is not held up by what goes', () => {
  const journal = new Journal(aDirectory())
  const text = 'x'.repeat(1000)
  const append = (lines: number) => {
    for (let line = 0; line < lines; line += 1) journal.append(some(text))
  }
  append(KEPT_LINES)
  const reader = journal.read(10)
  const next = () => reader.next().value?.first
  assert.equal(next(), 11)
  append(2)
  const rest = [...reader].map((batch) => batch.first)
  assert.equal(rest.length, KEPT_LINES + 2 - 11)

  const late = journal.read()
  assert.equal(late.next().value?.first, 1)
  append(4 * KEPT_LINES)
  const had = [...late].map((batch) => batch.first)
  assert.ok(had.every((first, index) => index === 0 || first > (had[index - 1] ?? 0)))
  assert.ok(had.length < 4 * KEPT_LINES, 'what had gone did not come')
  assert.equal(had.at(-1), journal.last)
  assert.deepEqual(
    had.slice(-KEPT_LINES),
    Array.from(
      { length: KEPT_LINES },
      (_, index) => journal.last - KEPT_LINES + 1 + index,
    ),
  )
})

test('a record that is longer than a piece of reading comes whole', () => {
  const journal = new Journal(aDirectory())
  const long = 'x'.repeat(300_000)
  journal.append(some('before'))
  journal.append(some(long))
  journal.append(some('after'))
  const texts = [...journal.read()].map((batch) => batch.text)
  assert.deepEqual(texts, ['before\n', `${long}\n`, 'after\n'])
})

test('a full disk takes nothing of a line, and then goes on behind the last whole one', (t) => {
  const disk = aSmallDisk(t, 1024 ** 2)
  const journal = new Journal(disk.mount)
  journal.append(some('before'), { dyno: { id: dyno, position: at(1) } })
  disk.fill()
  const long = { dyno: { id: dyno, position: at(2) } }
  assert.throws(() => {
    for (;;) journal.append(some('x'.repeat(900)), long)
  }, /ENOSPC/)
  disk.empty()
  const { last } = journal
  journal.append(some('after'), { dyno: { id: dyno, position: at(3) } })

  for (const it of [journal, new Journal(disk.mount)]) {
    const [batch] = [...it.read()].slice(-1)
    assert.deepEqual([batch?.first, batch?.text], [last + 1, 'after\n'])
    assert.deepEqual(it.position(dyno), at(3))
  }
})

test('where no new segment can be begun, the one before is gone on with', (t) => {
  const disk = aSmallDisk(t, 8 * 1024 ** 2)
  const journal = new Journal(disk.mount)
  const text = 'x'.repeat(1000)
  const own = { dyno: { id: dyno, position: at(1) } }
  // More than a new segment's first record fits into the last page of the one before.
  for (let line = 0; line < KEPT_LINES; line += 1) journal.append(some(text), own)
  disk.fill()
  assert.throws(() => journal.append(some('lost')), /ENOSPC/)
  assert.deepEqual(readdirSync(disk.mount).toSorted(), ['1.log', 'filler'])
  assert.throws(() => journal.append(some('lost too')), /ENOSPC/)
  disk.empty()
  assert.equal(journal.append(some('next')).first, KEPT_LINES + 1)
  assert.deepEqual(new Journal(disk.mount).position(dyno), at(1))
  assert.equal([...new Journal(disk.mount).read()].at(-1)?.text, 'next\n')
})
