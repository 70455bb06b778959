/** Commands beside the app: detached one-offs, and the one that every release runs first. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { SECOND } from '../../src/lib/clock.ts'
import { until } from '../until.ts'
import { aJourney } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

let app: PushedApp
const journey = aJourney({
  regions: ['us'],
  timings: { attachTimeout: 2 * SECOND },
  begin: async (it) => {
    app = await anApp(it, { source: 'test/apps/releases', name: 'releases' })
  },
})

test('a push waits for the release command, and shows what it prints', async () => {
  const shown = await app.push('First')
  assert.match(
    shown,
    /Release command declared: this new release will not be available until the command succeeds\.[^]*Released v3[^]*Verifying deploy\.\.\. done\.[^]*Running release command\.\.\.[^]*Migrating as release\.\d+[^]*Waiting for release\.\.\.\. done\./,
  )
  await until('the log tells of it', async () =>
    /Running release v3 commands by user [^]*heroku\[release\.\d+\]: Starting process with command `bash release\.sh`[^]*State changed from up to complete[^]*Release v3 created by user/.test(
      await app.log(),
    ),
  )
  assert.match(await app.heroku('releases'), /Current: v3/)
  assert.match(await app.heroku('releases:output'), /Migrating as release\.\d+/)
})

test('run:detached runs a command of the Procfile, whose end is in the log', async () => {
  const name = await runDetached('greet me; exit 3')
  await until('it has ended', async () =>
    told(
      await app.log(),
      `app[api]: Starting process with command \`greet me; exit 3\` by user`,
      `heroku[${name}]: Starting process with command \`echo hello from me; exit 3\``,
      `app[${name}]: hello from me`,
      `heroku[${name}]: Process exited with status 3`,
      `heroku[${name}]: State changed from up to complete`,
    ),
  )
  await nothingLeft()
})

test('a one-off is listed while it runs, left alone by restarts, and stopped', async () => {
  const name = await runDetached('sleep 600')
  const [, id] = await listed(name, 'up')
  assert.match(
    await app.heroku('ps'),
    new RegExp(`run: one-off[^]*${name} \\(Standard-1X\\): up .*: sleep 600`),
  )
  await app.heroku('ps:restart')
  await app.heroku('config:set', 'COLOUR=blue')
  assert.deepEqual(await listed(name, 'up'), ['up', id])
  await app.heroku('ps:stop', name)
  await until('it has ended', async () =>
    told(
      await app.log(),
      `heroku[${name}]: Stopping all processes with SIGTERM`,
      `heroku[${name}]: Process exited with status 143`,
      `heroku[${name}]: State changed from up to complete`,
    ),
  )
  await nothingLeft()
})

test('a one-off ends when its time is up', async () => {
  const { name } = await run({ command: 'sleep 600', time_to_live: 1 })
  await until('it has ended', async () =>
    told(await app.log(), `heroku[${name}]: Process exited with status 143`),
  )
})

test('a client that never comes is R13, and its command is never run', async () => {
  const { name } = await run({ command: 'echo in vain', attach: true })
  await until('it has ended', async () =>
    told(
      await app.log(),
      `heroku[${name}]: Awaiting client`,
      `heroku[${name}]: Error R13 (Attach error) -> Failed to attach to process`,
      `heroku[${name}]: State changed from starting to complete`,
    ),
  )
  assert.ok(!(await app.log()).includes(`app[${name}]`))
  await nothingLeft()
})

test('a release whose command fails changes nothing but the config vars', async () => {
  const before = await current()
  await app.heroku('config:set', 'RELEASE_EXIT=7')
  await until('it has failed', async () =>
    /Release v\d+ command failed by user/.test(await app.log()),
  )
  assert.match(
    await app.heroku('releases'),
    /RELEASE_EXIT config vars +.*release command failed/i,
  )
  assert.equal(await current(), before)
  assert.match(await app.heroku('config:get', 'RELEASE_EXIT'), /^7/)
})

test('a push whose release command fails is rejected', async () => {
  const before = await current()
  writeFileSync(
    join(app.directory, 'Procfile'),
    'worker: sleep 7200\nrelease: bash release.sh\n',
  )
  await assert.rejects(
    app.push('Another'),
    /Waiting for release\.\.\.\. failed\.[^]*The release command exited with status 7\.[^]*pre-receive hook declined/,
  )
  assert.equal(await current(), before)
})

test('when the cause is gone, a retry stands, and so does a rollback', async () => {
  const before = await current()
  await app.heroku('config:unset', 'RELEASE_EXIT')
  await until('another release is current', async () => (await current()) !== before)
  for (const command of ['releases:retry', 'rollback']) {
    const shown = await app.heroku(command)
    assert.match(shown, /Running release command\.\.\.[^]*Migrating/)
  }
})

test('a release phase outlives the manager', async () => {
  await app.heroku('config:set', 'RELEASE_SECONDS=5')
  const release = (await names()).find((it) => it.startsWith('release.'))
  assert.ok(release)
  const [, id] = await listed(release, 'up')
  await journey.killPart('manager-us')
  await until('it is current', async () => (await releases()).at(-1)?.current === true)
  const ended = (await journey.api('GET', `/apps/releases/events?dyno=${id}`)) as {
    readonly kind: string
  }[]
  assert.equal(ended.filter((it) => it.kind === 'dyno.up').length, 1)
})

test('a newer release takes over from one that is pending', async () => {
  await app.heroku('config:set', 'RELEASE_SECONDS=600')
  await until('its command runs', async () =>
    (await names()).some((it) => it.startsWith('release.')),
  )
  await app.heroku('config:set', 'RELEASE_SECONDS=0')
  await until('it has expired', async () =>
    (await releases()).some((it) => it.status === 'expired'),
  )
  await until('the newer one is current', async () => {
    const newest = (await releases()).at(-1)
    return newest?.status === 'succeeded' && newest.current
  })
  await nothingLeft()
})

/** Resolves to its name. */
async function runDetached(command: string): Promise<string> {
  const shown = await app.heroku('run:detached', command)
  const [name] = /run\.\d+/.exec(shown) ?? []
  assert.ok(name, shown)
  return name
}

async function run(body: object): Promise<{ readonly name: string }> {
  return (await journey.api('POST', '/apps/releases/dynos', body)) as { name: string }
}

/** Waits until the dyno is in that state; its state and id. */
async function listed(name: string, state: string): Promise<[string, string]> {
  let id = ''
  await until(`${name} is ${state}`, async () => {
    const found = (await journey.dynos('releases')).find((it) => it.name === name)
    id = found?.id ?? ''
    return found?.state === state
  })
  return [state, id]
}

async function names(): Promise<string[]> {
  return (await journey.dynos('releases')).map((it) => it.name)
}

const releases = () => journey.releases('releases')

async function current(): Promise<number | undefined> {
  return (await releases()).find((it) => it.current)?.version
}

/** No one-off is there any more, not even on the machine. */
async function nothingLeft(): Promise<void> {
  await until('nothing is left', async () => {
    const left = (await names()).filter((it) => !it.startsWith('worker.'))
    return left.length === 0 && journey.containers('us') === 0
  })
}

function told(log: string, ...parts: string[]): boolean {
  let from = 0
  return parts.every((part) => {
    const at = log.indexOf(part, from)
    from = at + part.length
    return at >= 0
  })
}
