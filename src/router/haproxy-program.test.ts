import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { checkConfig, listenAddresses } from './haproxy-program.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-config-'))
after(() => rmSync(directory, { recursive: true }))

function aConfig(text: string): string {
  const path = join(directory, 'haproxy.cfg')
  writeFileSync(path, text)
  return path
}

test('a configuration that HAProxy refuses is refused in its words', async () => {
  const path = aConfig('global\n  nonsense\n')
  await assert.rejects(checkConfig(path), ({ message }: Error) => {
    assert.match(message, /^HAProxy refuses .*: \[ALERT\].*haproxy\.cfg:2.* 'nonsense'/)
    assert.doesNotMatch(message, /NOTICE/)
    return true
  })
  const lua = join(directory, 'bad.lua')
  writeFileSync(lua, `error('no such luck')`)
  const loading = aConfig(`global\n  lua-load-per-thread ${lua}\n`)
  await assert.rejects(checkConfig(loading), /no such luck/)
})

test('of very many words there are some', async () => {
  const faults = Array.from({ length: 1000 }, (_, n) => `  nonsense-${n}\n`).join('')
  await assert.rejects(
    checkConfig(aConfig(`global\n${faults}`)),
    ({ message }: Error) => {
      assert.match(message, /nonsense-0/)
      return message.length < 3000
    },
  )
})

test('one that HAProxy would start from is let pass', async () => {
  await checkConfig(
    aConfig(
      'defaults\n  mode http\n  timeout client 1s\nfrontend a\n  bind 127.0.0.1:1\n',
    ),
  )
})

test('clients by IPv4 and by IPv6 come by sockets of their own', () => {
  assert.deepEqual(listenAddresses('apps.example.com', 80, true), [
    '*:80',
    ':::80 v6only',
  ])
  assert.deepEqual(listenAddresses('apps.example.com', 80, false), ['*:80'])
  assert.deepEqual(listenAddresses('apps.localhost', 80, true), [
    '127.0.0.1:80',
    '[::1]:80',
  ])
})
