/** What the genuine CLI shows of dynos that want more memory than they have, or than there is. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { MiB } from '../../src/lib/bytes.ts'
import { ask } from '../ask.ts'
import { until } from '../until.ts'
import { aJourney, type ListedDyno } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const QUOTA = 128

let app: PushedApp

const journey = aJourney({
  regions: ['us'],
  async begin(it) {
    const sizes = { 'Standard-1X': { memory: QUOTA, hardMemory: 2 * QUOTA } }
    writeFileSync(join(it.root, 'sizes.json'), JSON.stringify({ sizes }))
    app = await anApp(it, { source: 'test/apps/holds-memory', name: 'holds' })
    await app.push('Hold memory')
    await it.calm(app.name)
  },
})

test('above its quota a dyno is told R14, and serves on', async () => {
  await ask(`${app.url}hold/150`)
  await logSays(
    /web\.1\]: Process running mem=\d+M\(1[0-9]{2}\.\d%\)\n.*web\.1\]: Error R14 \(Memory quota exceeded\)/,
  )
  assert.match(await app.heroku('ps'), /web\.1: up/)
})

test('a dyno whose child the kernel ends for memory goes with it: R15', async () => {
  await journey.replaces(app.name, () => app.heroku('ps:restart'))
  await ask(`${app.url}child`)
  await logSays(
    /my child was ended by SIGKILL[^]*Error R15 \(Memory quota vastly exceeded\)[^]*Process exited with status 137[^]*to crashed/,
  )
  await journey.calm(app.name)
})

test('what the machine has no room for waits, and a release goes on', async () => {
  // Two dynos, and the room that is kept for a successor.
  const memoryFactor = (3.5 * QUOTA * MiB) / (totalmem() - 1024 * MiB)
  journey.configure({ memoryFactor })
  await app.heroku('ps:scale', 'web=3')
  await logSays(/web\.3\]: Waiting for capacity: .* Standard-1X dyno \(128 MB\)/)
  await states({ 'web.1': 'up', 'web.2': 'up', 'web.3': 'starting' })

  await app.heroku('config:set', 'ROUND=2')
  await until(
    'the new release runs where the old one did, and what waited still waits',
    async () => {
      const releases = (await journey.api(
        'GET',
        `/apps/${app.name}/releases`,
      )) as Release[]
      const newest = Math.max(...releases.map((it) => it.version))
      const dynos = (await journey.dynos(app.name)) as readonly ReleasedDyno[]
      const shown = dynos.map((it) => `${it.name} ${it.state} v${it.release.version}`)
      const wanted = ['web.1 up', 'web.2 up', 'web.3 starting'].map(
        (it) => `${it} v${newest}`,
      )
      return shown.join() === wanted.join()
    },
  )

  journey.configure({ memoryFactor: 1 })
  await states({ 'web.1': 'up', 'web.2': 'up', 'web.3': 'up' })
})

test('what the disk has no room for waits, too', async () => {
  journey.configure({ diskFactor: 0 })
  await app.heroku('ps:scale', 'web=4')
  await logSays(/web\.4\]: Waiting for capacity: this machine's disk .* \(2048 MB\)/)
  await states({ 'web.1': 'up', 'web.2': 'up', 'web.3': 'up', 'web.4': 'starting' })
  journey.configure({})
  await states({ 'web.1': 'up', 'web.2': 'up', 'web.3': 'up', 'web.4': 'up' })
})

interface Release {
  readonly version: number
}

interface ReleasedDyno extends ListedDyno {
  readonly release: Release
}

async function states(wanted: Readonly<Record<string, string>>): Promise<void> {
  await until(`dynos are ${JSON.stringify(wanted)}`, async () => {
    const dynos = await journey.dynos(app.name)
    const seen = Object.fromEntries(dynos.map((it) => [it.name, it.state]))
    return JSON.stringify(seen) === JSON.stringify(wanted)
  })
}

async function logSays(pattern: RegExp): Promise<void> {
  await until(`the log says ${pattern}`, async () => pattern.test(await app.log()))
}
