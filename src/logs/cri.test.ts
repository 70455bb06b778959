import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { LONGEST_LINE } from '../model/log-line.ts'
import { parseRecords, type Unfinished } from './cri.ts'

const AT = '2026-01-01T00:00:00.123456789+00:00'
const SHOWN = '2026-01-01T00:00:00.123456+00:00'

function linesOf(records: readonly string[]): string[] {
  return parseRecords(records.join(''), ' app[web.1]: ', {}).text.split('\n').slice(0, -1)
}

test('a record becomes a line with microseconds', () => {
  assert.deepEqual(linesOf([`${AT} stdout F hello  there\n`, `${AT} stderr F \n`]), [
    `${SHOWN} app[web.1]: hello  there`,
    `${SHOWN} app[web.1]: `,
  ])
})

test("times of the host's zone are shown in UTC", () => {
  const time = '2026-01-01T01:30:00.123456789+01:30'
  assert.deepEqual(linesOf([`${time} stdout F x\n`]), [`${SHOWN} app[web.1]: x`])
  const kubernetes = '2026-01-01T00:00:00.1Z'
  assert.deepEqual(linesOf([`${kubernetes} stdout F x\n`]), [
    '2026-01-01T00:00:00.100000+00:00 app[web.1]: x',
  ])
})

test('parts are joined by stream', () => {
  const records = ['stdout P one ', 'stderr F other', 'stdout P two ', 'stdout F three']
  assert.deepEqual(linesOf(records.map((it) => `${AT} ${it}\n`)), [
    `${SHOWN} app[web.1]: other`,
    `${SHOWN} app[web.1]: one two three`,
  ])
})

test('a long line becomes several, no UTF-8 character halved', () => {
  const text = Buffer.from(`${'x'.repeat(LONGEST_LINE - 1)}éz`).toString('latin1')
  assert.deepEqual(
    linesOf([
      `${AT} stdout P ${text.slice(0, 8000)}\n`,
      `${AT} stdout F ${text.slice(8000)}\n`,
    ]),
    [
      `${SHOWN} app[web.1]: ${'x'.repeat(LONGEST_LINE - 1)}`,
      `${SHOWN} app[web.1]: ${Buffer.from('éz').toString('latin1')}`,
    ],
  )
})

test('a carriage return ends no line', () => {
  assert.deepEqual(linesOf([`${AT} stdout F 10%\r20%\r\n`]), [
    `${SHOWN} app[web.1]: 10% 20%`,
  ])
})

test('what is no record is skipped', () => {
  assert.deepEqual(linesOf(['\n', '\0\0\0\n', 'a b\n', `${AT} stdout F x\n`]), [
    `${SHOWN} app[web.1]: x`,
  ])
})

test('however the bytes come in pieces, the lines are the same', () => {
  const record = fc
    .tuple(
      fc.constantFrom('stdout', 'stderr'),
      fc.constantFrom('P', 'F'),
      fc.string({ maxLength: 30 }).map((it) => it.replaceAll(/[\n\r]/g, '')),
    )
    .map(([stream, flag, text]) => `${AT} ${stream} ${flag} ${text}\n`)
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, seed) => {
      const bytes = Buffer.from(records.join('')).toString('latin1')
      let text = ''
      let unfinished: Unfinished = {}
      let start = 0
      for (let step = 1; start < bytes.length; step += 1) {
        const upTo = Math.min(bytes.length, start + step * (1 + (seed % 97)))
        const parsed = parseRecords(bytes.slice(start, upTo), ' app[web.1]: ', unfinished)
        text += parsed.text
        unfinished = parsed.unfinished
        start += parsed.used
      }
      assert.equal(text, parseRecords(bytes, ' app[web.1]: ', {}).text)
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})
