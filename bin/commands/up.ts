/**
 * `./mayfly up`: sets up what is missing, starts what does not run, and watches over it. Its
 * end, however it comes, is at most the control plane's: dynos and routers run on.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { systemClock } from '../../src/lib/clock.ts'
import { secretBox } from '../../src/lib/secret-box.ts'
import { allReady, endParts, lacksOf } from '../../src/installation/control-plane.ts'
import {
  databaseConfig,
  openPool,
  withoutHaste,
} from '../../src/installation/database.ts'
import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import {
  decideInstallation,
  keepInstallation,
  type Wishes,
} from '../../src/installation/decide-installation.ts'
import { ensureFirstRows } from '../../src/installation/first-rows.ts'
import { keepPart } from '../../src/installation/keep-part.ts'
import { ensureDomainKeys, ensureKeys, readApiKey } from '../../src/installation/keys.ts'
import { ensureLayout } from '../../src/installation/layout.ts'
import { applyGrants } from '../../src/installation/grants.ts'
import { leaveSession } from '../../src/installation/leave-session.ts'
import { migrate, NewerSchema } from '../../src/installation/migrate.ts'
import { findInstallation } from '../../src/installation/open-installation.ts'
import type { PartSpec } from '../../src/installation/parts.ts'
import { portsMustBeFree } from '../../src/installation/ports.ts'
import { ensureCluster, ensureDatabase } from '../../src/installation/postgres-cluster.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { upgradeCluster } from '../../src/installation/upgrade-cluster.ts'
import { lockSupervision } from '../../src/installation/supervisor-lock.ts'
import { ensureUsers } from '../../src/installation/users.ts'
import { databaseIdentity } from '../../src/store/database-identity.ts'
import { sealSourceUrls } from '../../src/store/seal-source-urls.ts'
import { presentResolvers } from '../../src/runtime/local/resolvers.ts'
import { settingsMustDo } from '../settings-files.ts'
import {
  dataNamed,
  dataOption,
  directoryNamed,
  domainNamed,
  emailNamed,
  parsed,
  portNamed,
  regionsNamed,
} from './arguments.ts'
import { deployExample } from './deploy-example.ts'
import { detachedUp } from './detached-up.ts'
import { prepareStacks } from './local-runtime.ts'
import { machineMustDo } from './machine.ts'
import { type Narrator, narrator } from './narrator.ts'
import { databaseUrl, partsHere } from './settings.ts'
import { whatNext } from './what-next.ts'
import { withDatabase } from './with-database.ts'

/** `./mayfly up --help` has a line for each: options_of_up in `mayfly`. */
export const upOptions = {
  ...dataOption,
  detach: { type: 'boolean' },
  'api-port': { type: 'string' },
  'http-port': { type: 'string' },
  'https-port': { type: 'string' },
  domain: { type: 'string' },
  'acme-directory': { type: 'string' },
  'acme-email': { type: 'string' },
  'acme-trusted': { type: 'string' },
  regions: { type: 'string' },
  existing: { type: 'boolean' },
  'no-example': { type: 'boolean' },
} as const

export async function up(args: string[]): Promise<number> {
  const { values } = parsed({ args, options: upOptions })
  const data = dataNamed(values.data)
  const wishes = {
    apiPort: portNamed('--api-port', values['api-port']),
    httpPort: portNamed('--http-port', values['http-port']),
    httpsPort: portNamed('--https-port', values['https-port']),
    domain: domainNamed(values.domain),
    acme: {
      directory: directoryNamed(values['acme-directory']),
      email: emailNamed('--acme-email', values['acme-email']),
      trusted: values['acme-trusted'] && resolve(values['acme-trusted']),
    },
    regions: regionsNamed(values.regions),
    databaseElsewhere: databaseUrl !== undefined,
  }
  if (values.detach) return detachedUp(args)

  const ended = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => ended.abort())
  }
  // A terminal that is gone must not take the supervisor with it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

  const tell = narrator(data)
  const example = !values['no-example']
  try {
    if (values.existing) mustExist(data)
    const installation = await setUp(data, wishes)
    leaveSession(installation)
    await superviseUntil(ended.signal, { data, installation, tell, example })
    return 0
  } catch (error) {
    tell.failed(error)
    return error instanceof Refusal ? error.exitCode : 1
  }
}

/** For whoever comes from the machine's boot: a disk may not be there yet, nor all that is on it. */
function mustExist(data: DataDirectory): void {
  if (findInstallation(data)) return
  throw new Refusal(
    `There is no installation in ${data.root}, and with --existing none is made: is its disk mounted?`,
  )
}

/** All that needs no part to run. The installation is as wished, and not written down where it was another before. */
async function setUp(data: DataDirectory, wishes: Wishes): Promise<Installation> {
  await machineMustDo()
  // A name server of a cloud's may have an address of 172.16.0.0/12 behind the gateway.
  const installation = await decideInstallation(data, wishes, presentResolvers())
  // And before anything is changed.
  if (installation.databaseId !== undefined) await withDatabase(data.root, async () => {})
  // Not before: it changes files of the directory, which may have been somebody else's.
  settingsMustDo(data)
  await ensureUsers()
  if (!findInstallation(data)) {
    // From here on the directory is Mayfly's.
    await portsMustBeFree(data, installation, partsHere(data, installation))
    keepInstallation(data, installation)
  }
  ensureLayout(data, installation)
  return installation
}

interface Supervision {
  readonly data: DataDirectory
  readonly installation: Installation
  readonly tell: Narrator
  readonly example: boolean
}

async function superviseUntil(
  signal: AbortSignal,
  supervision: Supervision,
): Promise<void> {
  const lock = lockSupervision(supervision.data)
  try {
    if (databaseUrl === undefined) {
      await upgradeCluster(supervision.data, supervision.tell.say)
    }
    await keepUp(signal, supervision)
  } finally {
    lock.release()
  }
}

async function keepUp(signal: AbortSignal, supervision: Supervision): Promise<void> {
  const { data, installation, tell, example } = supervision
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const parts = partsHere(data, installation)
  const kept: Promise<void>[] = []

  async function start(some: readonly PartSpec[]): Promise<void> {
    const keeping = { data, clock: systemClock, say: tell.say }
    kept.push(...some.map((part) => keepPart(part, keeping, stop)))
    await allReady(
      some.filter((it) => !canWait(it)),
      { data, say: tell.say },
      stop,
    )
    for (const it of await lacksOf(some.filter(canWait), data, stop)) tell.say(it)
  }

  try {
    await portsMustBeFree(data, installation, parts)
    await ensureKeys(data, installation)
    if (databaseUrl === undefined) {
      tell.say('starting PostgreSQL')
      await ensureCluster(data)
      await start(parts.filter((it) => it.name === 'postgres'))
      // Who was told to end while it was waited for has no database.
      if (stop.aborted) return
      await ensureDatabase(data)
    }
    const { said, databaseId } = await fillDatabase(data, installation)
    for (const it of said) tell.say(it)
    keepInstallation(data, { ...installation, databaseId })
    await ensureDomainKeys(data, installation)
    await prepareStacks(data, tell.say)
    tell.say('starting all parts')
    await start(parts.filter((it) => it.name !== 'postgres'))
    if (!stop.aborted) {
      if (example) await deployExample(data, installation, tell.say, stop)
      tell.ready(whatNext(data, installation))
    }
    await Promise.all(kept)
  } finally {
    failed.abort()
    await Promise.allSettled(kept)
    tell.say('ending the control plane; dynos and routers run on')
    await endParts(
      parts.filter((part) => !part.outlivesUp),
      data,
    )
  }
}

/** Others do without it. */
const canWait = (part: PartSpec) => part.without !== undefined

interface Filled {
  /** What a person should know. */
  readonly said: readonly string[]
  /** Of one that is elsewhere. */
  readonly databaseId: string | undefined
}

async function fillDatabase(
  data: DataDirectory,
  installation: Installation,
): Promise<Filled> {
  const pool = openPool(withoutHaste(databaseConfig(data, databaseUrl)), 1)
  try {
    await migrate(pool)
    await sealSourceUrls(pool, secretBox(readFileSync(data.keys.configVars)))
    // Of another's PostgreSQL we have the one role that its URL names.
    if (databaseUrl === undefined) await applyGrants(pool)
    const said = await ensureFirstRows(pool, installation, readApiKey(data))
    const isElsewhere = installation.database === 'elsewhere'
    return { said, databaseId: isElsewhere ? await databaseIdentity(pool) : undefined }
  } catch (error) {
    if (error instanceof NewerSchema) throw new Refusal(error.message)
    throw error
  } finally {
    await pool.end()
  }
}
