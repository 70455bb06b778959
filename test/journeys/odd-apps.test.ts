/** Apps that do what apps should not, and one that does what few do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SECOND } from '../../src/lib/clock.ts'
import { aJourney } from './a-journey.ts'
import { ask } from '../ask.ts'
import { echoByWebsocket } from '../echo-by-websocket.ts'
import { until } from '../until.ts'
import { anApp } from './a-pushed-app.ts'

/** Heroku's half minute would make this a long journey. */
const journey = aJourney({ timings: { stopGrace: 2 * SECOND } })

function pushed(name: string) {
  return anApp(journey, { source: `test/apps/${name}`, name })
}

test('a websocket is carried through', async () => {
  const app = await pushed('websocket-echo')
  await app.push('Echo')
  assert.equal(await echoByWebsocket(app.url, 'hello'), 'hello')
})

test('an app that exits at once crashes, is restarted at once, and then waits', async () => {
  const app = await pushed('exits-at-once')
  await app.push('Exit')
  await until('it has crashed twice', async () => {
    const log = await app.log()
    return log.split('State changed from starting to crashed').length > 2
  })
  // It does so for some ten seconds, and is starting for a moment after them.
  await until('it waits', async () => (await app.heroku('ps')).includes('web.1: crashed'))
  const answer = await ask(app.url)
  assert.equal(answer.status, 503)
  await until('H10 is in the log', async () =>
    /code=H10 desc="App crashed"/.test(await app.log()),
  )
})

test('an app that never binds its port meets R10', async () => {
  const app = await pushed('never-listens')
  await app.heroku('config:set', 'MAYFLY_BOOT_TIMEOUT=8')
  await app.push('Bind nothing')
  await until('R10 is in the log', async () =>
    /Error R10 \(Boot timeout\) -> Web process failed to bind to \$PORT within 8 seconds of launch/.test(
      await app.log(),
    ),
  )
  await until('it has crashed', async () =>
    /Stopping process with SIGKILL[^]*Process exited with status 137[^]*State changed from starting to crashed/.test(
      await app.log(),
    ),
  )
})

test('an app that ignores SIGTERM meets R12', async () => {
  const app = await pushed('ignores-sigterm')
  await app.push('Stay')
  await until('it is up', async () => (await ask(app.url)).status === 200)
  await app.heroku('ps:scale', 'web=0')
  await until('it was killed', async () =>
    /Error R12 \(Exit timeout\)[^]*Stopping remaining processes with SIGKILL[^]*Process exited with status 137/.test(
      await app.log(),
    ),
  )
})

test('an app that eats memory meets R15', async () => {
  const app = await pushed('holds-memory')
  await app.push('Eat')
  assert.equal((await ask(`${app.url}hold/100000`)).status, 200)
  await until('R15 is in the log', async () =>
    /Error R15 \(Memory quota vastly exceeded\)[^]*Process exited with status 137[^]*to crashed/.test(
      await app.log(),
    ),
  )
})

test('a build that fails leaves the release that runs alone', async () => {
  const app = await anApp(journey, { source: 'bench/tiny-app', name: 'broken-build' })
  await app.push('Works')
  await app.git('rm', '--quiet', 'Procfile')
  await assert.rejects(app.push('Nothing to build'), /pre-receive hook declined/)
  assert.equal((await ask(app.url)).status, 200)
  assert.doesNotMatch(await app.heroku('releases'), /v4/)
})
