/**
 * A region's manager on the memory runtime, wired as bin/manager.ts wires it on the machine's,
 * for P10. It ends on SIGTERM.
 */

import { silentLog, jsonLog } from '../src/lib/log.ts'
import { systemClock } from '../src/lib/clock.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { openPool, preparing, withoutWaiting } from '../src/installation/database.ts'
import { heedHints } from '../src/manager/heed-hints.ts'
import { lookAfterFormation } from '../src/manager/look-after-formation.ts'
import { placer } from '../src/manager/place-dynos.ts'
import { sweep } from '../src/manager/sweep.ts'
import { takeOver } from '../src/manager/take-over.ts'
import { NOTHING } from '../src/model/capacity.ts'
import { HEROKU_SIZES } from '../src/model/size.ts'
import { HEROKU_TIMINGS } from '../src/model/timings.ts'
import { MemoryRuntime } from '../src/runtime/memory/memory-runtime.ts'
import { allRegions } from '../src/store/regions.ts'
import { runLoop } from '../src/work/loop.ts'
import { KEY } from './p10-apps.ts'

const CONNECTIONS = 12
const FOR_THE_LIST = 4

const database = preparing({
  host: process.argv[2] ?? '',
  database: process.argv[3] ?? '',
  user: 'postgres',
})
const pool = openPool(database, CONNECTIONS)
const list = openPool(withoutWaiting(database), FOR_THE_LIST)
const log = jsonLog('manager', (line) => process.stderr.write(line))
const ended = new AbortController()
process.once('SIGTERM', () => ended.abort())
const { signal } = ended

const [region] = await allRegions(pool)
if (!region) throw new Error('there is no region')
const clock = systemClock
const runtime = new MemoryRuntime(clock)
const sizes = () => HEROKU_SIZES
const { place } = placer({
  pool,
  runtime,
  clock,
  machine: { name: 'bench', regions: [region.name] },
  sizes,
  factor: () => ({ memory: 1, disk: 1 }),
  build: NOTHING,
})
heedHints(runtime, { pool: list, region: region.name, log }, signal)
const loop = runLoop(
  {
    pool: list,
    region: region.name,
    looks: {
      formation: lookAfterFormation({
        pool,
        runtime,
        secrets: secretBox(KEY),
        clock,
        timings: () => HEROKU_TIMINGS,
        health: () => new Map(),
        place,
        sizes,
      }),
      sweep: sweep({ pool, runtime, region: region.name, clock, log: silentLog }),
    },
    log,
    overdue: () => process.exit(1),
  },
  signal,
)
await takeOver(pool, region)
await loop
await Promise.all([pool.end(), list.end()])
process.exit()
