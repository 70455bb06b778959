/**
 * The genuine CLI's commands that ask Heroku's metrics hosts, whose names it knows by heart: with
 * those names in /etc/hosts, as docs/operating/metrics-and-autoscaling.md says, they reach us.
 * /etc/hosts is the test's own: it is mounted where only the CLI sees it.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { later, MINUTE } from '../src/lib/clock.ts'
import { appEvent } from '../src/model/event.ts'
import { newId } from '../src/model/ids.ts'
import { layout } from '../src/model/router-measures.ts'
import { writeEvents } from '../src/store/events.ts'
import { findMonitor } from '../src/store/monitors.ts'
import { putRouterMeasures } from '../src/store/router-measures.ts'
import { anApi } from './an-api.ts'
import { envOfCli } from './env-of-cli.ts'
import { anApp } from './an-app.ts'
import { aDatabase } from './postgres.ts'

const cli = join(import.meta.dirname, '../node_modules/.bin/heroku')
const run = promisify(execFile)
const pool = aDatabase()
const WITH_HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'

test('ps:autoscale and apps:errors of the CLI reach us by /etc/hosts', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-cli-'))
  const hosts = join(home, 'hosts')
  writeFileSync(
    hosts,
    '127.0.0.1 localhost api.metrics.heroku.com api.metrics.herokai.com\n',
  )
  const { server, token } = await anApi(pool)
  await server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.server.address() as AddressInfo
  t.after(async () => {
    await server.close()
    rmSync(home, { recursive: true })
  })
  const made = await anApp(pool)
  await made.deploy()
  const { id: app, name } = made.app
  const heroku = async (...args: string[]) => {
    const command = ['sh', '-c', WITH_HOSTS, 'sh', hosts, cli, ...args, '--app', name]
    const { stdout, stderr } = await run('unshare', ['--mount', ...command], {
      env: {
        ...envOfCli,
        HOME: home,
        HEROKU_HOST: `http://localhost:${port}`,
        HEROKU_API_KEY: token,
      },
    })
    return stdout + stderr
  }
  const figures = async () => {
    const monitor = await findMonitor(pool, app)
    return monitor && { isActive: monitor.isActive, ...monitor.wanted }
  }

  await heroku('ps:scale', 'web=1:performance-m')
  const enabled = await heroku('ps:autoscale:enable', '--min', '2', '--max', '4')
  assert.match(enabled, /Enabling dyno autoscaling\.\.\. done/)
  assert.deepEqual(await figures(), { isActive: true, min: 2, max: 4, p95: 1000 })
  await heroku('ps:autoscale:enable', '--min', '1', '--max', '3', '--p95', '300')
  assert.deepEqual(await figures(), { isActive: true, min: 1, max: 3, p95: 300 })
  await heroku('ps:autoscale:disable')
  assert.deepEqual(await figures(), { isActive: false, min: 1, max: 3, p95: 300 })

  assert.match(await heroku('apps:errors'), /No errors on .* in the last 24 hours/)
  const at = later(new Date(), -MINUTE)
  const counts = {
    keys: [layout.CODE + 12],
    counts: [7],
    serviceTotal: 0,
    serviceLongest: 0,
  }
  await putRouterMeasures(pool, newId(), [{ app, at, ...counts }])
  const boot = { kind: 'dyno.boot-timeout', ps: 'web.1', cause: 'boot timeout' } as const
  await writeEvents(pool, [appEvent({ app, at, ...boot, message: '' })])
  const errors = await heroku('apps:errors')
  assert.match(errors, /router\s+H12\s+critical\s+Request timeout\s+7/i)
  assert.match(errors, /web\s+R10\s+critical\s+Boot timeout\s+1/i)
})
