/** Every process of an installation: as whom it runs, how, and when it is ready. */

import { Resolver } from 'node:dns/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'

import { acceptsConnections } from '../lib/accepts-connections.ts'
import { MiB } from '../lib/bytes.ts'
import { SECOND } from '../lib/clock.ts'
import { gatewayOf } from '../lib/ipv4.ts'
import { UnsafeFile } from '../lib/open-plain-file.ts'
import { readSmallFile } from '../lib/read-small-file.ts'
import { EXEC_PORT, execAddress } from '../model/exec.ts'
import { asUser } from './as-user.ts'
import type { DataDirectory, Installation } from './data-directory.ts'
import type { LivingProcess } from './living-process.ts'
import { newestMigration } from './migrate.ts'
import type { PartBounds } from './part-cgroup.ts'
import { withinBound } from './part-log.ts'
import { postgresAnswers, postgresCommand } from './postgres-cluster.ts'
import {
  GROUP,
  groupsOf,
  NO_GROUP,
  POSTGRES_USER,
  RESOLVER_USER,
  userId,
} from './users.ts'

/** Bytes: of a pid and the end of its line. */
const READY_MOST = 100

export interface PartSpec {
  readonly name: string
  readonly command: readonly string[]
  /** As whom it runs; left out: root. */
  readonly user?: string
  /** Names the installation and the part, so that the process is found by it. */
  readonly environment: Readonly<Record<string, string>>
  /** It is not started before this file is there. */
  readonly needs: string | undefined
  /** The part that writes that file. */
  readonly neededFrom?: string
  /** What asks it to end, and how many milliseconds it then has. */
  readonly ends: { readonly signal: NodeJS.Signals; readonly patience: number }
  /** The programs it started end with it. */
  readonly endsWhole: boolean
  /** It reads this file when it starts and never again: it is started anew when that has changed. */
  readonly startsAnewWith?: string
  /** Files of root's, if they are there, that it is to read though it is not root. */
  readonly reads?: readonly string[]
  /** One that runs with others is ended, and started anew: another version may have started it. */
  readonly groups?: readonly string[]
  /** One of another version's schema is ended, and started anew. */
  readonly readsDatabase?: boolean
  /**
   * It runs on when `up` ends, in a cgroup of its own: systemd ends a login session that `up` was typed in
   * with all that is in its cgroup, as soon as the kernel has ended anything there for memory.
   */
  readonly outlivesUp: boolean
  /** Dynos that are told to end still have it. */
  readonly outlivesDynos?: boolean
  /** What is missing while it does not serve; undefined: everything. */
  readonly without?: string
  /** What it and all that it runs may take together. */
  readonly bounds?: PartBounds
  /** Where it is reached, for people. */
  readonly address: string
  isReady(process: LivingProcess): Promise<boolean>
}

export interface PartSettings {
  readonly data: DataDirectory
  readonly installation: Installation
  /** Where this program lies. */
  readonly program: string
  /** Of the user's own PostgreSQL, for those parts that are to be started. */
  readonly databaseUrl: string | undefined
  /**
   * Where Node keeps what it compiled of this program. For root's parts alone, who run what they find
   * there: a part that was broken into is to leave nothing to who comes after it.
   */
  readonly compileCache?: string | undefined
}

/** PostgreSQL, where it is ours, comes first: everything else needs it. */
export function partsOf(settings: PartSettings): PartSpec[] {
  const schema = newestMigration()
  return programsOf(settings).map((part) => ({
    ...part,
    environment: {
      ...part.environment,
      MAYFLY_DATA: settings.data.root,
      MAYFLY_PART: part.name,
      ...(part.readsDatabase && { MAYFLY_SCHEMA: schema }),
    },
  }))
}

function programsOf(settings: PartSettings): PartSpec[] {
  const { data, installation } = settings
  const api = `http://localhost:${installation.apiPort}`
  return [
    ...(installation.database === 'elsewhere' ? [] : [postgres(data)]),
    nodePart(settings, { name: 'api', user: 'mayfly-api', address: api }),
    nodePart(settings, {
      name: 'git',
      user: 'mayfly-git',
      bounds: {
        cgroup: `mayfly-${installation.id}/part.git`,
        memory: gitMemory(totalmem()),
        cpuShare: 1 / 2,
      },
      address: `${data.run('git')}/http.sock`,
    }),
    nodePart(settings, {
      name: 'logs',
      user: 'mayfly-logs',
      address: `${data.run('logs')}/http.sock`,
    }),
    nodePart(settings, {
      name: 'rendezvous',
      user: 'mayfly-rendezvous',
      // The CLI's SSH knows no port but 80.
      capabilities: ['net_bind_service'],
      address: `${data.run('rendezvous')}/tcp.sock, ssh ${execAddress(installation.apiPort)}:${EXEC_PORT}`,
    }),
    ...installation.regions.map(({ name, subnet }) =>
      nodePart(settings, { name: managerOf(name), region: name, address: subnet }),
    ),
    ...installation.regions.map(({ name, httpPort }) =>
      router(settings, name, `http://<app>.${installation.domain}:${httpPort}`),
    ),
    ...installation.regions.map(({ name, subnet }) =>
      resolver(settings, name, gatewayOf(subnet)),
    ),
  ]
}

function postgres(data: DataDirectory): PartSpec {
  const sockets = data.run('postgres')
  return {
    name: 'postgres',
    user: POSTGRES_USER,
    command: asUser(POSTGRES_USER, GROUP, postgresCommand(data.postgres, sockets)),
    environment: {},
    needs: undefined,
    // Fast shutdown: ends the connections, loses nothing.
    ends: { signal: 'SIGINT', patience: 30 * SECOND },
    endsWhole: true,
    outlivesUp: false,
    address: sockets,
    isReady: () => postgresAnswers(sockets),
  }
}

/** What those parts read that are not root; `manager.json` is root's. */
export function settingsOfParts(data: DataDirectory): readonly string[] {
  return [data.apiSettings, data.webhookSettings, data.sizes]
}

interface NodePart {
  readonly name: string
  /** Undefined: root. */
  readonly user?: string
  /** Of root's, what it keeps. */
  readonly capabilities?: readonly string[]
  readonly region?: string
  readonly bounds?: PartBounds
  readonly address: string
}

function nodePart(settings: PartSettings, part: NodePart): PartSpec {
  const { data, program, databaseUrl, compileCache } = settings
  const { name, user, capabilities, region, bounds, address } = part
  const file = join('bin', `${region === undefined ? name : 'manager'}.ts`)
  return {
    name,
    ...(user !== undefined && { user }),
    command:
      user === undefined
        ? [process.execPath, join(program, file)]
        : unprivileged(settings, { user, capabilities, file }),
    environment: {
      HOME: data.run(name),
      ...(region === undefined ? {} : { MAYFLY_REGION: region }),
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(user === undefined && compileCache !== undefined
        ? { NODE_COMPILE_CACHE: compileCache }
        : {}),
    },
    needs: undefined,
    readsDatabase: true,
    ...(user !== undefined && { groups: groupsOf(user), reads: settingsOfParts(data) }),
    // A push may still be received, but what would build it ends too.
    ends: { signal: 'SIGTERM', patience: (name === 'git' ? 2 : 10) * SECOND },
    // Not a manager: it starts dynos.
    endsWhole: region === undefined,
    outlivesUp: false,
    ...(bounds && { bounds }),
    address,
    isReady: async ({ pid }) => (await readiness(data, name, user)) === String(pid),
  }
}

/**
 * Bytes, of the machine's: a quarter, with room for one pack of the largest kind as a rule, and
 * never most of it.
 */
export function gitMemory(ofMachine: number): number {
  return Math.floor(Math.min(ofMachine / 2, Math.max(2 * 1024 ** 3, ofMachine / 4)))
}

/** See bin/run-part.sh. */
function unprivileged(
  { data, program }: PartSettings,
  it: {
    readonly user: string
    readonly capabilities: readonly string[] | undefined
    readonly file: string
  },
): string[] {
  const mounting = [program, data.program, process.execPath, data.node]
  const runs = [data.node, join(data.program, it.file)]
  const command = asUser(it.user, groupsOf(it.user), runs, it.capabilities)
  const alone = ['unshare', '--mount', '--propagation', 'slave', '--']
  return [...alone, join(program, 'bin', 'run-part.sh'), ...mounting, ...command]
}

/** Of a router, which has a thread for each processor, as much as those would have in no cgroup; version 2 knows no more. */
const MOST_CPU_SHARE = 100

const managerOf = (region: string) => `manager-${region}`

function router(
  { data, installation }: PartSettings,
  region: string,
  address: string,
): PartSpec {
  const config = join(data.router(region), 'haproxy.cfg')
  const master = join(data.router(region), 'master.sock')
  return {
    name: `router-${region}`,
    command: withinBound(['haproxy', '-W', '-S', master, '-f', config]),
    environment: {},
    needs: config,
    neededFrom: managerOf(region),
    ends: { signal: 'SIGTERM', patience: 10 * SECOND },
    endsWhole: true,
    outlivesUp: true,
    bounds: {
      // Not below what bounds all dynos' memory: they would have the less, and it might be ended for theirs.
      cgroup: `mayfly-${installation.id}.routers/router-${region}`,
      cpuShare: Math.min(availableParallelism(), MOST_CPU_SHARE),
    },
    address,
    isReady: () => acceptsConnections({ path: master }, SECOND),
  }
}

/** A third are sockets that it asks from, and looks at for each question: with 10,000 those took four times as long. */
const RESOLVER_FILES = 1024

/** Of the resolver, with what the kernel holds for it; with a process for each of its 400 connections. */
const RESOLVER_MEMORY = 512 * MiB

/** dnsmasq; what it is told is in src/runtime/local/resolver-config.ts. */
function resolver(
  { data, installation }: PartSettings,
  region: string,
  gateway: string,
): PartSpec {
  const config = join(data.dynos(region), 'resolver', 'dnsmasq.conf')
  const runs = ['dnsmasq', `--conf-file=${config}`]
  const user = asUser(RESOLVER_USER, NO_GROUP, runs, ['net_bind_service'])
  return {
    name: `resolver-${region}`,
    user: RESOLVER_USER,
    command: withinBound(['prlimit', `--nofile=${RESOLVER_FILES}`, ...user]),
    environment: {},
    needs: config,
    neededFrom: managerOf(region),
    startsAnewWith: config,
    ends: { signal: 'SIGTERM', patience: 2 * SECOND },
    endsWhole: true,
    outlivesUp: true,
    outlivesDynos: true,
    bounds: {
      cgroup: `mayfly-${installation.id}/part.resolver-${region}`,
      memory: RESOLVER_MEMORY,
      cpuShare: 1 / 2,
    },
    without: 'dynos cannot resolve names',
    address: `${gateway}:53`,
    isReady: () => answersNames(gateway),
  }
}

/** By a name that it answers without asking anybody. */
async function answersNames(server: string): Promise<boolean> {
  const asking = new Resolver({ timeout: SECOND / 2, tries: 1 })
  asking.setServers([server])
  try {
    await asking.resolve4('ready.invalid')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTFOUND'
  }
}

/** The pid that a part has left. It may put anything there: what is no file of its own says nothing. */
async function readiness(
  data: DataDirectory,
  part: string,
  user: string | undefined,
): Promise<string | undefined> {
  const owner = user === undefined ? 0 : userId(user)
  try {
    return (await readSmallFile(data.readyFile(part), READY_MOST, [owner]))?.trim()
  } catch (error) {
    if (error instanceof UnsafeFile) return undefined
    throw error
  }
}
