import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DAY, HOUR, MINUTE } from '../lib/clock.ts'
import { retryAfter } from '../model/acm.ts'
import { type AppId, newId } from '../model/ids.ts'
import type { AcmeOrder, CertificateFacts } from '../store/acme.ts'
import { type CertificateStep, planCertificate } from './plan-certificate.ts'

const now = new Date('2026-06-01T00:00:00Z')
const directory = { url: 'https://authority.example/dir', email: null, trusted: null }
const after = (milliseconds: number) => new Date(now.getTime() + milliseconds)

function facts(but: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    hostname: 'www.example.com',
    app: 'a' as AppId,
    acm: true,
    status: 'pending',
    failures: 0,
    reason: null,
    retryAt: null,
    failedAt: null,
    endpoint: null,
    order: null,
    ...but,
  }
}

function anOrder(but: Partial<AcmeOrder> = {}): AcmeOrder {
  return {
    directory: directory.url,
    url: 'https://authority.example/order/1',
    token: 'token',
    answered: false,
    told: false,
    createdAt: now,
    ...but,
  }
}

function anEndpoint(left: number, acm = true) {
  return {
    id: newId<'sni endpoint'>(),
    acm,
    startsAt: after(left - 90 * DAY),
    expiresAt: after(left),
  }
}

const steps: [string, Partial<CertificateFacts>, CertificateStep['do'], number?][] = [
  ['without one', {}, 'order'],
  ['of an app that wants none', { acm: false }, 'wait', Infinity],
  ['of an app that wants none any more', { acm: false, order: anOrder() }, 'drop'],
  ['with an order of another authority', { order: anOrder({ directory: 'x' }) }, 'drop'],
  ['whose answer no router has yet', { order: anOrder() }, 'wait', 2000],
  ['whose answer is there', { order: anOrder({ answered: true }) }, 'tell'],
  [
    'of which the authority was told',
    { order: anOrder({ answered: true, told: true }) },
    'fetch',
  ],
  ['that the authority knows', { order: anOrder({ token: null }) }, 'fetch'],
  [
    'whose order is stuck',
    { order: anOrder({ createdAt: after(-16 * MINUTE) }) },
    'fail',
  ],
  ['with 60 of 90 days left', { endpoint: anEndpoint(60 * DAY) }, 'wait', 30 * DAY],
  ['with 30 of 90 days left', { endpoint: anEndpoint(30 * DAY) }, 'order'],
  ['with one that expired', { endpoint: anEndpoint(-DAY) }, 'order'],
  [`with one of its user's`, { endpoint: anEndpoint(-DAY, false) }, 'wait', Infinity],
  ['that just failed', { retryAt: after(HOUR), failures: 4, failedAt: now }, 'retry'],
  [
    'that failed before the clock was set back',
    { retryAt: after(2 * HOUR), failures: 4, failedAt: after(HOUR) },
    'order',
  ],
  ['that failed a while ago', { retryAt: after(-1), failures: 4 }, 'order'],
  ['with a wildcard', { hostname: '*.example.com' }, 'fail'],
  [
    'with a wildcard, told',
    { hostname: '*.example.com', status: 'failed' },
    'wait',
    Infinity,
  ],
]

for (const [what, but, expected, wait] of steps) {
  test(`a domain ${what}: ${expected}`, () => {
    const step = planCertificate(facts(but), directory, now)
    assert.equal(step.do, expected)
    if (step.do === 'wait') assert.equal(step.for, wait)
  })
}

test('a domain that is gone, and one with nobody to ask, wait until they are woken', () => {
  const forever = { do: 'wait', for: Infinity }
  assert.deepEqual(planCertificate(undefined, directory, now), forever)
  assert.deepEqual(planCertificate(facts(), undefined, now), forever)
})

test('tries become rarer, and never end', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 100].map(retryAfter)
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  )
  assert.equal(waits[0], MINUTE)
  assert.equal(waits.at(-1), DAY)
})
