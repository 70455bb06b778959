/** A region's dyno manager: its formations, its builds, its router. */

import { mkdirSync, readFileSync } from 'node:fs'

import { BUILD_NEEDS } from '../src/builds/build-dyno.ts'
import { installBuildpacks } from '../src/builds/install-buildpacks.ts'
import { lookAfterBuild } from '../src/builds/look-after-build.ts'
import { pruneLeftovers } from '../src/builds/prune-leftovers.ts'
import { readBuildEnvironment } from '../src/builds/read-build-environment.ts'
import { lookAfterCertificate } from '../src/certificates/look-after-certificate.ts'
import { databaseAddresses } from '../src/installation/database-addresses.ts'
import { followLimits } from '../src/installation/follow-limits.ts'
import { followSettings } from '../src/installation/settings-file.ts'
import { userId } from '../src/installation/users.ts'
import { later, SECOND, systemClock } from '../src/lib/clock.ts'
import { jumpsOf } from '../src/lib/clock-jumps.ts'
import { removeTree } from '../src/lib/remove-tree.ts'
import { systemTimer } from '../src/lib/timer.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { healthChecker } from '../src/manager/check-health.ts'
import { heedHints } from '../src/manager/heed-hints.ts'
import { heedWakeCalls } from '../src/manager/heed-wake-calls.ts'
import { lookAfterApp } from '../src/manager/look-after-app.ts'
import { lookAfterAutoscaling } from '../src/manager/look-after-autoscaling.ts'
import { lookAfterEntry } from '../src/manager/look-after-entry.ts'
import { lookAfterFormation } from '../src/manager/look-after-formation.ts'
import { lookAfterIdling } from '../src/manager/look-after-idling.ts'
import { lookAfterOneOff } from '../src/manager/look-after-one-off.ts'
import { placer } from '../src/manager/place-dynos.ts'
import { runtimeOnClock } from '../src/manager/runtime-on-clock.ts'
import { settingsFrom } from '../src/manager/settings.ts'
import { sweep } from '../src/manager/sweep.ts'
import { takeOver, wakeDynos } from '../src/manager/take-over.ts'
import { watchMemory } from '../src/manager/watch-memory.ts'
import { whenDown } from '../src/manager/when-down.ts'
import { lookAfterRouter } from '../src/router/look-after-router.ts'
import { routerPaths } from '../src/router/router-paths.ts'
import { webTraffic } from '../src/router/web-traffic.ts'
import { demolishedAt, noteDemolished } from '../src/runtime/local/demolish.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { wakeCertificates } from '../src/store/acme.ts'
import { holdRegion } from '../src/store/hold-region.ts'
import { allRegions } from '../src/store/regions.ts'
import { type Claim, wake } from '../src/store/work.ts'
import { runLoop } from '../src/work/loop.ts'
import { startPart } from './part.ts'
import { managerSettingsFile } from './settings-files.ts'

const CONNECTIONS = 12
const FOR_THE_LIST = 4
const CERTIFICATES_AT_ONCE = 3

const name = process.env['MAYFLY_REGION'] ?? ''
const part = startPart(`manager-${name}`, CONNECTIONS)
const { data, installation, pool, log, signal } = part
const addressesOfDatabase = databaseAddresses(pool)

await holdRegion(pool, name, { lost: die('lost the database'), signal })
const region = (await allRegions(pool)).find((it) => it.name === name)
if (!region) throw new Error(`MAYFLY_REGION names no region: "${name}"`)

const secrets = secretBox(readFileSync(data.keys.configVars))
const written = followSettings(managerSettingsFile(data), {
  log,
  changed: () => {
    Promise.all([
      wakeDynos(pool, name),
      wake(pool, { kind: 'idling', subject: region.id, region: name }),
    ]).catch((error: unknown) =>
      log.error('cannot tell the dynos of the new settings', error),
    )
  },
  every: 0.2 * SECOND,
  signal,
})
const { clock, ahead, timings, factor, ociRuntime, allowances } = settingsFrom(written)

mkdirSync(data.dynos(name), { recursive: true })
mkdirSync(data.router(name), { recursive: true })
const machine = new LocalRuntime({
  installation: installation.id,
  region: name,
  subnet: region.subnet,
  root: data.root,
  stacks: data.stacks,
  slugs: data.slugs,
  dynos: data.dynos(name),
  endedLogs: data.endedLogs,
  // To a database that trusts this machine's address, a dyno that goes out by it is no stranger.
  allowances() {
    const its = allowances()
    return { ...its, closed: [...its.closed, ...addressesOfDatabase()] }
  },
  ociRuntime: () => ociRuntime(name),
  log,
})
const runtime = runtimeOnClock(machine, ahead)
const demolished = await whenDown({
  pool,
  region: name,
  clock: systemClock,
  ahead,
  noted: demolishedAt(data.dynos(name)),
  noteAnew: (now) => noteDemolished(data.dynos(name), now),
})
const downAt = () => demolished && later(demolished, ahead())
await runtime.prepare(signal)
const machineJumps = jumpsOf(systemClock, systemTimer)
const jumps = () => machineJumps().map(({ at, by }) => ({ at: later(at, ahead()), by }))
const list = part.hastyPool(FOR_THE_LIST)
const health = healthChecker({ runtime, pool: list, region: name, log }, signal)
const limits = followLimits(data.sizes, { log, signal })
const sizes = () => limits().sizes
const { place, placeBuild } = placer({
  pool,
  runtime,
  clock,
  machine: { name: installation.id, regions: installation.regions.map((it) => it.name) },
  sizes,
  factor,
  build: BUILD_NEEDS,
})
heedHints(runtime, { pool: list, region: name, log }, signal)

const builtIns = await installBuildpacks(data, systemClock.now())
const loop = runLoop(
  {
    pool: list,
    region: name,
    looks: {
      formation: lookAfterFormation({
        pool,
        runtime,
        secrets,
        clock,
        timings,
        health,
        place,
        sizes,
        limits,
        downAt,
        jumps,
      }),
      'one-off': lookAfterOneOff({
        pool,
        runtime,
        secrets,
        clock,
        ahead,
        timings,
        place,
        sizes,
        downAt,
        jumps,
      }),
      entry: lookAfterEntry({ pool, runtime, secrets, log }),
      build: lookAfterBuild({
        pool,
        runtime,
        secrets,
        clock: systemClock,
        data,
        uploaders: [userId('mayfly-api'), userId('mayfly-git')],
        log,
        region: name,
        builtIns,
        buildEnvironment: await readBuildEnvironment(process.env),
        downAt: demolished,
        jumps: machineJumps,
        placeBuild,
      }),
      memory: watchMemory({
        pool,
        runtime,
        secrets,
        clock,
        region: name,
        sizes,
        place,
        log,
      }),
      router: lookAfterRouter({
        pool,
        directory: data.router(name),
        logSocket: data.recordSocket,
        tls: {
          authority: data.keys.routerSigner,
          unnamed: data.keys.routerDefault,
          own: data.keys.domain,
          secrets,
          clock: systemClock,
        },
        drainTimeout: () => timings().drainTimeout,
        log,
      }),
      idling: lookAfterIdling({
        pool,
        region: name,
        secrets,
        clock,
        timings,
        webTraffic: webTraffic(data.router(name)),
      }),
      // By the machine's clock, as `logs` counts.
      autoscaling: lookAfterAutoscaling({
        pool,
        region: name,
        clock: systemClock,
        limits,
        log,
      }),
      app: lookAfterApp({ pool, directories: data, removeTree }),
      sweep: sweep({ pool, runtime, region: name, clock, log }),
    },
    log,
    overdue,
  },
  signal,
)
// Beside it, for they wait for what is not ours: an authority that answers nobody holds up no dyno.
const certificates = runLoop(
  {
    pool: list,
    region: name,
    // By the machine's clock, as authorities are.
    looks: { certificate: lookAfterCertificate({ pool, secrets, clock: systemClock }) },
    log,
    overdue,
    width: CERTIFICATES_AT_ONCE,
    // Nothing in it is as urgent as each wake of a dyno would have it look.
    listens: async () => {},
    longestSleep: SECOND,
  },
  signal,
)
await heedWakeCalls(
  { socket: routerPaths(data.router(name)).wakeSocket, pool: list, clock, log },
  signal,
)
await takeOver(pool, region)
await wakeCertificates(pool, { region: name })
part.ready()
void pruneLeftovers({ pool, data, region: name, clock: systemClock, log }, signal)

await Promise.all([loop, certificates])
await Promise.all([pool.end(), list.end()])
process.exit()

function overdue({ kind, subject }: Pick<Claim, 'kind' | 'subject'>): void {
  die('a look outlived its lease')(`${kind} ${subject}`)
}

/** The supervisor starts another; dynos and router never notice. */
function die(message: string): (cause: unknown) => void {
  return (cause) => {
    if (signal.aborted) return
    log.error(message, cause)
    process.exit(1)
  }
}
