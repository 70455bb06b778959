import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import type { DynoId } from '../model/ids.ts'
import { haproxyConfig, shapeOf } from './haproxy-config.ts'
import { routerPaths } from './router-paths.ts'
import { HEROKU_TIMEOUTS, type RouterSettings } from './router-settings.ts'
import type { RoutingTable } from './routing-table.ts'

const golden = join(import.meta.dirname, 'haproxy.golden.cfg')

const settings: RouterSettings = {
  paths: routerPaths('/var/lib/mayfly/routers/us'),
  listen: ['127.0.0.1:8080', '[::1]:8080'],
  tls: {
    listen: ['127.0.0.1:8443', '[::1]:8443'],
    port: 8443,
    certificate: '/var/lib/mayfly/keys/router-default.pem',
  },
  logSocket: '/var/lib/mayfly/run/records/syslog.sock',
  maxConnections: 50_000,
  asRoot: true,
  timeouts: HEROKU_TIMEOUTS,
  lua: '-- what HAProxy cannot do by itself',
}

const dyno = '01234567-89ab-cdef-0123-456789abcdef' as DynoId

const table: RoutingTable = {
  hosts: new Map([['my-app.localhost', 'app1/up//x/200']]),
  servers: [
    { dyno, backend: 'app1', name: `web.1:${dyno}`, address: '172.16.0.2', port: 5000 },
  ],
  sticky: new Set(),
  challenges: new Map(),
  leftOut: [],
  pool: 2,
}

test('the whole configuration is as it was last looked at', () => {
  const text = haproxyConfig(table, settings)
  if (process.argv.includes('--accept')) writeFileSync(golden, text)
  assert.equal(text, readFileSync(golden, 'utf8'))
})

test('only what a running HAProxy cannot be told is another shape', () => {
  const shape = shapeOf(table, settings)
  const others = { ...table, servers: [], hosts: new Map() }
  assert.equal(shapeOf(others, settings), shape)
  assert.notEqual(shapeOf({ ...table, pool: 4 }, settings), shape)
  assert.notEqual(shapeOf(table, { ...settings, lua: '-- another' }), shape)
  assert.notEqual(shapeOf(table, { ...settings, listen: ['127.0.0.1:8081'] }), shape)
})
