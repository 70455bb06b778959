import assert from 'node:assert/strict'
import { test } from 'node:test'

import { appRouting, faultOfAppRouting } from './app-routing.ts'

test('an app that says nothing has nothing', () => {
  assert.equal(appRouting({}), null)
  assert.equal(appRouting({ OTHER: 'x', ERROR_PAGE_URL: '' }), null)
})

test('pages and time-outs are read', () => {
  assert.deepEqual(
    appRouting({
      ERROR_PAGE_URL: '//s3.example.com/your bucket/error.html',
      MAINTENANCE_PAGE_URL: 'HTTPS://example.com',
      MAYFLY_RESPONSE_TIMEOUT: '120',
      MAYFLY_IDLE_TIMEOUT: '1',
    }),
    {
      errorPage: '//s3.example.com/your%20bucket/error.html',
      maintenancePage: 'https://example.com/',
      responseTimeout: 120_000,
      idleTimeout: 1000,
    },
  )
})

test('what cannot be meant is said to be wrong, and is nothing where it is all the same', () => {
  for (const [name, text, wanted] of [
    ['ERROR_PAGE_URL', 'javascript:alert(1)', 'the http or https URL of a page'],
    ['ERROR_PAGE_URL', 'page.html', 'the http or https URL of a page'],
    ['ERROR_PAGE_URL', 'https://', 'the http or https URL of a page'],
    [
      'MAINTENANCE_PAGE_URL',
      `https://a/${'x'.repeat(2000)}`,
      'the http or https URL of a page',
    ],
    // 18 KB as a browser has it.
    ['ERROR_PAGE_URL', `//a/${'\u20ac'.repeat(1990)}`, 'the http or https URL of a page'],
    ['MAYFLY_RESPONSE_TIMEOUT', '0', 'a whole number of seconds from 1 to 600'],
    ['MAYFLY_RESPONSE_TIMEOUT', '601', 'a whole number of seconds from 1 to 600'],
    ['MAYFLY_IDLE_TIMEOUT', '1m', 'a whole number of seconds from 1 to 600'],
  ] as const) {
    assert.equal(faultOfAppRouting({ [name]: text }), `${name} must be ${wanted}.`)
    assert.equal(appRouting({ [name]: text }), null)
  }
  assert.equal(faultOfAppRouting({ ERROR_PAGE_URL: '', OTHER: 'x' }), undefined)
})

test('no URL ends the attribute that it stands in', () => {
  const { errorPage = '' } =
    appRouting({ ERROR_PAGE_URL: `https://a/"><script>'%[src]` }) ?? {}
  assert.doesNotMatch(errorPage, /["<> ]/)
})
