/**
 * The logs process: takes lines in, keeps the last ones of every app, serves their readers.
 * It also tells webhooks what they are to be told (docs/decisions/0006).
 */

import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { MINUTE, pause, SECOND, systemClock } from '../src/lib/clock.ts'
import { listenOnSocket } from '../src/lib/listen-on-socket.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { bringEndedLogs } from '../src/logs/bring-ended-logs.ts'
import { Channels } from '../src/logs/channels.ts'
import { DynoLogFollower } from '../src/logs/dyno-log-follower.ts'
import { takePlatformLines } from '../src/logs/platform-lines.ts'
import { RouterCounts } from '../src/logs/router-counts.ts'
import { routerLineServer } from '../src/logs/router-lines.ts'
import { parseRouterRecord } from '../src/logs/router-line.ts'
import { serially } from '../src/logs/serially.ts'
import { sessionServer } from '../src/logs/session-server.ts'
import type { AppId } from '../src/model/ids.ts'
import { appsWithout } from '../src/store/app-features.ts'
import { listen } from '../src/store/listen.ts'
import { presentApps } from '../src/store/log-intake.ts'
import { LOG_LINES } from '../src/store/log-lines.ts'
import {
  ageRouterMeasures,
  forgetMinutes,
  noteCounting,
  putRouterMeasures,
} from '../src/store/router-measures.ts'
import { WEBHOOKS } from '../src/store/webhooks.ts'
import { forgetLeases } from '../src/store/work.ts'
import { heedHappenings } from '../src/webhooks/heed-happenings.ts'
import { lookAfterWebhook } from '../src/webhooks/look-after-webhook.ts'
import { LOOKS_AT_ONCE } from '../src/webhooks/tenant-places.ts'
import { runLoop } from '../src/work/loop.ts'
import { startPart } from './part.ts'
import { webhookReach } from './webhook-reach.ts'

/** Should a notification be lost. */
const POLL = 5 * SECOND
/** What is counted of requests is lost with us, if it is younger. */
const FLUSH = 5 * SECOND

const part = startPart('logs', 5)
const { data, installation, pool, log, signal } = part
process.umask(0o007)

bringEndedLogs(join(data.logs, 'ended'), data.endedLogs)
const channels = new Channels(data.logs)
const files = new DynoLogFollower({
  pool,
  channels,
  directories: installation.regions.map((region) => data.dynos(region.name)),
  ended: data.endedLogs,
  clock: systemClock,
  log,
})
const platform = serially(() => takePlatformLines(pool, channels))
const counts = new RouterCounts(systemClock)
const sessions = sessionServer({
  pool,
  channels,
  drain: async (app) => void (await Promise.all([platform(), files.drain(app)])),
  counts: () => counts.totals(),
  clock: systemClock,
  log,
})
let legacy: ReadonlySet<AppId> = new Set()
const router = routerLineServer({
  channels,
  parse: (record) => parseRouterRecord(record, legacy),
  counts,
  log,
})
// Of its own: lines and sessions do not wait for it, nor it for a disk.
const measures = part.hastyPool(1)

await readStyles()
for (const it of [data.run('logs'), dirname(data.recordSocket)])
  mkdirSync(it, { recursive: true })
// Of the group of its directory, which is HAProxy's.
await listenOnSocket(router, data.recordSocket, 0o660)
await listenOnSocket(sessions.http, join(data.run('logs'), 'http.sock'), 0o660)
part.ready()

await Promise.all([
  files.run(signal),
  listen(pool, LOG_LINES, () => void takeLines(), { log, signal }),
  repeat(takeLines, POLL),
  repeat(readStyles, POLL),
  repeat(forgetDestroyedApps, MINUTE),
  repeat(putCounts, FLUSH),
  repeat(ageCounts, MINUTE),
  sessions.tidy(signal),
  heedHappenings({ pool, log }, signal),
  tellWebhooks(),
])
router.close()
await sessions.close()
await putCounts()
await Promise.all([pool.end(), measures.end()])
process.exit()

/** A switch is heeded a little later, as clients of Heroku's have to come anew for it. */
async function readStyles(): Promise<void> {
  try {
    legacy = await appsWithout(pool, 'http-routing-2-dot-0')
  } catch (error) {
    log.error('cannot read whose lines are of the legacy router', error)
  }
}

async function takeLines(): Promise<void> {
  await platform().catch((error: unknown) =>
    log.error('cannot take in the lines of the platform', error),
  )
}

async function tellWebhooks(): Promise<void> {
  const secrets = secretBox(readFileSync(data.keys.webhooks))
  const reach = webhookReach(data, { log, signal })
  // Of its own, so that lines need not wait; a delivery that a power cut takes back is made again.
  const deliveries = part.hastyPool(4)
  const deps = { pool: deliveries, secrets, clock: systemClock, reach }
  // There is one `logs`: whoever held these is dead. Else they end by themselves, a minute later.
  await forgetLeases(deliveries, WEBHOOKS).catch((error: unknown) =>
    log.error('cannot forget the leases of who told webhooks before', error),
  )
  await runLoop(
    {
      pool: deliveries,
      region: WEBHOOKS,
      looks: { webhook: lookAfterWebhook(deps) },
      log,
      overdue: ({ kind, subject }) => {
        log.error('a look outlived its lease', `${kind} ${subject}`)
        process.exit(1)
      },
      width: LOOKS_AT_ONCE,
    },
    signal,
  )
  await deliveries.end()
}

async function forgetDestroyedApps(): Promise<void> {
  try {
    const apps = channels.apps()
    const present = await presentApps(pool, [...apps, ...counts.apps()])
    counts.forget(present)
    for (const app of apps) {
      if (present.has(app)) continue
      files.drop(app)
      channels.remove(app)
    }
  } catch (error) {
    log.error('cannot look for destroyed apps', error)
  }
}

async function putCounts(): Promise<void> {
  await counts
    .flush(async (counted, writer, again) => {
      await forgetMinutes(measures, writer, again)
      await putRouterMeasures(measures, writer, counted)
    })
    .then(() => noteCounting(measures, systemClock.now()))
    .catch((error: unknown) => log.error('cannot write down what was counted', error))
}

async function ageCounts(): Promise<void> {
  await ageRouterMeasures(measures, systemClock.now()).catch((error: unknown) =>
    log.error('cannot take old counts together', error),
  )
}

async function repeat(work: () => Promise<void>, every: number): Promise<void> {
  while (!signal.aborted) {
    await work()
    await pause(every, signal)
  }
}
