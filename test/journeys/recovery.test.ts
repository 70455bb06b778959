/**
 * Managers, monitors and machines die at random moments, also in the middle of a deploy:
 * nothing is doubled, lost, or restarted without a cause. With MAYFLY_SOAK a hundred times
 * over 200 dynos.
 */

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'

import type { Pool } from 'pg'

import { databaseConfig, openPool } from '../../src/installation/database.ts'
import { dataDirectory } from '../../src/installation/data-directory.ts'
import {
  endProcess,
  isAlive,
  processOf,
  readProcessFile,
  sendSignal,
} from '../../src/installation/living-process.ts'
import { pause, SECOND } from '../../src/lib/clock.ts'
import { type DynoId, isUuid } from '../../src/model/ids.ts'
import { regionFiles } from '../../src/runtime/local/dyno-files.ts'
import { signalProcess } from '../../src/runtime/local/process-status.ts'
import { makeOfAnEarlierBoot } from '../of-an-earlier-boot.ts'
import { until } from '../until.ts'
import { aJourney } from './a-journey.ts'
import { anApp } from './a-pushed-app.ts'

const soak = process.env['MAYFLY_SOAK'] !== undefined
const BLOWS = soak ? 100 : 5
/** Of each of two apps: web and worker dynos. */
const QUANTITIES = soak ? { web: 50, worker: 50 } : { web: 2, worker: 3 }
const APPS = ['first', 'second']
const DYNOS = APPS.length * (QUANTITIES.web + QUANTITIES.worker)
const SETTLED_WITHIN = soak ? 240 * SECOND : 60 * SECOND

let database: Pool | undefined
const journey = aJourney({
  regions: ['us'],
  async begin(it) {
    // Most of them use next to nothing of what they are promised.
    it.configure({ memoryFactor: 100, diskFactor: 100 })
    database = openPool(databaseConfig(dataDirectory(it.root), undefined), 2)
    for (const name of APPS) {
      const app = await anApp(it, { source: 'bench/tiny-app', name })
      await app.push('The first')
      const updates = Object.entries(QUANTITIES).map(([type, quantity]) => ({
        type,
        quantity,
      }))
      await it.api('PATCH', `/apps/${name}/formation`, { updates })
    }
    await settled()
  },
})
after(() => database?.end())

interface Row {
  readonly id: DynoId
  readonly place: string
  readonly state: string
  readonly good: boolean
  readonly cause: string | null
}

/** Every dyno there has been: what became of it, and whether it is as asked for now. */
async function rows(): Promise<readonly Row[]> {
  const found = await database?.query<Row>(
    `select dynos.id, apps.name || ' ' || type || '.' || ordinal as place, state,
            stop_reason as cause,
            state = 'up' and not leaving and release = current_release
              and (routed or type <> 'web') as good
       from dynos join apps on apps.id = dynos.app`,
  )
  return found?.rows ?? []
}

/** Every part is well; as many as asked for are up, each of them runs, and nothing else does. */
async function settled(): Promise<readonly Row[]> {
  await until('every part is well', () => journey.isWell(), SETTLED_WITHIN)
  let live: readonly Row[] = []
  await until(
    `${DYNOS} dynos are up and nothing else is there`,
    async () => {
      const all = await rows().catch(() => [])
      live = all.filter((it) => it.state !== 'down')
      const there = idsThere()
      return (
        live.length === DYNOS &&
        live.every((it) => it.good && there.includes(it.id)) &&
        there.length === DYNOS
      )
    },
    SETTLED_WITHIN,
  )
  assert.equal(new Set(live.map((it) => it.place)).size, DYNOS)
  return live
}

function dynosDirectory(): string {
  return dataDirectory(journey.root).dynos('us')
}

/** Whoever holds anything on the machine. */
function idsThere(): DynoId[] {
  return globSync('*/', { cwd: dynosDirectory() })
    .map((it) => basename(it))
    .filter(isUuid)
    .map((it) => it as DynoId)
}

/** Ends the process that a file of the dyno names, if there is one. */
function kill(dyno: string, file: 'pid' | 'conmon.pid'): void {
  try {
    process.kill(
      Number(readFileSync(join(dynosDirectory(), dyno, file), 'utf8')),
      'SIGKILL',
    )
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error
  }
}

/** Nobody tells of it, so it is found only when somebody looks at all dynos. */
async function killMonitor(): Promise<void> {
  const victim = pick(idsThere())
  kill(victim, 'conmon.pid')
  await until(
    'its dyno is missed',
    async () => !(await rows()).some((it) => it.id === victim && it.good),
    SETTLED_WITHIN,
  )
}

function killManager(): Promise<void> {
  return journey.killPart('manager-us')
}

/** Why a dyno may go in the round that follows. */
type Blow = readonly [what: string, causes: readonly string[], () => Promise<void>]

function pick<T>(list: readonly T[]): T {
  const picked = list[Math.floor(Math.random() * list.length)]
  assert.ok(picked !== undefined)
  return picked
}

const configure = () =>
  journey.api('PATCH', `/apps/${pick(APPS)}/config-vars`, {
    ROUND: String(Math.random()),
  })

const blows: readonly Blow[] = [
  ['kill -9 of the manager at rest', [], killManager],
  [
    'kill -9 of the manager in the middle of a deploy',
    ['release'],
    async () => {
      await configure()
      await pause(Math.random() * 2 * SECOND)
      await killManager()
    },
  ],
  [
    'kill -9 of the manager between create and start',
    ['release'],
    async () => {
      const before = new Set(idsThere())
      await configure()
      await until('a dyno is half made', () => idsThere().some((id) => !before.has(id)))
      await killManager()
    },
  ],
  ["kill -9 of a dyno's monitor", ['host lost'], killMonitor],
  [
    'kill -9 of the manager and of a monitor during a restart of all',
    ['restart', 'host lost'],
    async () => {
      await journey.api('DELETE', `/apps/${pick(APPS)}/dynos`)
      await pause(Math.random() * SECOND)
      await killManager()
      await killMonitor()
    },
  ],
]

for (let nth = 0; nth < BLOWS; nth++) {
  const [what, causes, strike] = blows[nth % blows.length] ?? pick(blows)
  test(`${what} (${nth + 1})`, async () => {
    const before = await settled()
    const known = new Set((await rows()).map((it) => it.id))
    await strike()
    const now = await settled()

    const ended = (await rows()).filter((it) => it.state === 'down')
    const gone = before.filter((it) => !now.some(({ id }) => id === it.id))
    for (const { id, place } of gone) {
      const cause = ended.find((it) => it.id === id)?.cause
      assert.ok(cause && causes.includes(cause), `${place} went for ${cause}`)
    }
    // Who came and went meanwhile: only for a cause, too.
    for (const { id, place, cause } of ended.filter((it) => !known.has(it.id))) {
      assert.ok(cause && causes.includes(cause), `${place} ${id} went for ${cause}`)
    }
  })
}

for (const [what, stop] of [
  ['a power cut: everything is dead at once', cutPower],
  ['a reboot: everything is told to end, the monitors too', stopInOrder],
] as const) {
  test(`${what}, and up brings it all back`, async () => {
    await settled()
    const there = idsThere()
    await stop(there)
    for (const id of there) makeOfAnEarlierBoot(regionFiles(dynosDirectory()).of(id))
    await journey.up()
    const dynos = await settled()
    assert.equal(dynos.length, DYNOS)
    assert.equal(there.length, DYNOS)
    for (const { id, place, cause } of await rows()) {
      assert.notEqual(cause, 'crash', place)
      if (there.includes(id)) assert.equal(cause, 'host restart', place)
    }
  })
}

/** At one moment: a manager that outlives its dynos has its own word on why they went. */
async function cutPower(dynos: readonly string[]): Promise<void> {
  await journey.killSupervisor()
  const parts = partsThere().flatMap((it) => readProcessFile(fileOf(it)) ?? [])
  for (const part of parts) sendSignal(part, 'SIGKILL')
  for (const id of dynos) {
    kill(id, 'conmon.pid')
    kill(id, 'pid')
  }
  await until('every part is gone', () => !parts.some(isAlive))
}

/** As systemd does: the service first, and then SIGTERM to whatever is left. */
async function stopInOrder(dynos: readonly DynoId[]): Promise<void> {
  await end('supervisor')
  const files = regionFiles(dynosDirectory())
  for (const id of dynos) {
    const { monitorPid, pid } = files.of(id)
    const init = readFileSync(pid, 'utf8')
    const children = readFileSync(`/proc/${init}/task/${init}/children`, 'utf8')
    const all = [readFileSync(monitorPid, 'utf8'), init, children].join(' ')
    for (const it of all.match(/\d+/g) ?? []) signalProcess(Number(it), 'SIGTERM')
  }
  await until('every dyno has ended, and its monitor says how', () =>
    dynos.every((id) => existsSync(files.of(id).exit)),
  )
  for (const part of partsThere()) await end(part)
}

async function end(part: string): Promise<void> {
  const it = readProcessFile(fileOf(part))
  if (it) await endProcess(it, { signal: 'SIGTERM', patience: 30 * SECOND })
}

const fileOf = (part: string) => dataDirectory(journey.root).processFile(part)

/** Those the supervisor keeps; some may have ended. */
function partsThere(): string[] {
  return globSync('*.json', { cwd: dataDirectory(journey.root).run('supervisor') })
    .map((it) => basename(it, '.json'))
    .filter((it) => it !== 'supervisor')
}

test('no process of a dyno outlives it', async () => {
  const there = await settled()
  const running = there.filter(({ id }) => {
    const it = processOf(Number(readFileSync(join(dynosDirectory(), id, 'pid'), 'utf8')))
    return it !== undefined && isAlive(it)
  })
  assert.equal(running.length, DYNOS)
})
