import assert from 'node:assert/strict'
import { test } from 'node:test'

import { later, MINUTE } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { loginAttempts } from './login-attempts.ts'

function onClock() {
  let now = new Date('2026-01-01T00:00:00Z')
  return {
    attempts: loginAttempts({ now: () => now }),
    wait: (milliseconds: number) => {
      now = later(now, milliseconds)
    },
  }
}

function times(count: number, act: (nth: number) => unknown): void {
  for (let nth = 0; nth < count; nth += 1) act(nth)
}

test('an account has ten attempts, wherever they come from, and one more every six minutes', () => {
  const { attempts, wait } = onClock()
  times(10, (nth) => attempts.take('ann@example.com', `address ${nth}`))
  assert.throws(() => attempts.take('Ann@Example.com', 'another'), refused)
  attempts.take('bob@example.com', 'another')
  wait(6 * MINUTE)
  attempts.take('ann@example.com', 'another')
  assert.throws(() => attempts.take('ann@example.com', 'another'), refused)
})

test('an address has sixty, whomever it tries', () => {
  const { attempts } = onClock()
  times(60, (nth) => attempts.take(`nobody-${nth}@example.com`, 'one'))
  assert.throws(() => attempts.take('ann@example.com', 'one'), refused)
  attempts.take('ann@example.com', 'another')
})

test('a network of IPv6 is one address', () => {
  const { attempts } = onClock()
  times(60, (nth) => attempts.begin(`2001:db8::${nth}`))
  assert.throws(() => attempts.begin('2001:db8:0:0:1:2:3:4'), refused)
  attempts.begin('2001:db8:0:1::1')
  attempts.begin('::1')
})

test('what was right is taken back, and nothing more than that', () => {
  const { attempts } = onClock()
  times(80, () => attempts.take('ann@example.com', 'one')())
  times(9, () => attempts.take('ann@example.com', 'one'))
  attempts.take('ann@example.com', 'one')()
  attempts.take('ann@example.com', 'one')
  assert.throws(() => attempts.take('ann@example.com', 'one'), refused)
})

test('right ones are a hundred an hour', () => {
  const { attempts } = onClock()
  times(100, () => attempts.take('ann@example.com', 'one')())
  assert.throws(() => attempts.take('ann@example.com', 'one'), refused)
})

test('an address begins sixty logins an hour', () => {
  const { attempts, wait } = onClock()
  times(60, () => attempts.begin('one'))
  assert.throws(() => attempts.begin('one'), refused)
  attempts.begin('another')
  wait(MINUTE)
  attempts.begin('one')
})

function refused(error: unknown): boolean {
  return error instanceof Problem && error.id === 'rate_limit'
}
