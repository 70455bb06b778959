/** A service of systemd's that runs `./mayfly up` from the machine's boot on. */

import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { HOUR, MINUTE, pause, SECOND } from '../lib/clock.ts'
import { runProgram } from '../lib/run-program.ts'
import { type DataDirectory, DEFAULT_DATA, type Installation } from './data-directory.ts'
import { Refusal } from './refusal.ts'

const UNITS = '/etc/systemd/system'
/** There where systemd runs the machine: see sd_booted(3). */
const RUNS = '/run/systemd/system'
/** Of a unit that neither runs nor is about to. */
const AT_REST = ['inactive', 'failed']
const POLL = SECOND / 2
/** Milliseconds. A slow machine may bring packages before `up` begins; who was begun anew already has failed at it. */
const BEGINS_WITHIN = { inAll: HOUR, whenBegunAnew: MINUTE }

/** What `up` looks at, and may have a secret in it: the unit is anyone's to read, this file root's. */
const VARIABLES = [
  'DATABASE_URL',
  'MAYFLY_STACKS',
  'NODE_EXTRA_CA_CERTS',
  'GIT_SSL_CAINFO',
] as const

type Variables = Readonly<Record<string, string | undefined>>

export interface BootService {
  /** `mayfly.service`. */
  readonly name: string
  /** The file of the unit. */
  readonly unit: string
  readonly environment: string
}

/** Each installation of a machine has one of its own. */
export function bootService(
  data: DataDirectory,
  { id }: Pick<Installation, 'id'>,
): BootService {
  const name = data.root === DEFAULT_DATA ? 'mayfly.service' : `mayfly-${id}.service`
  return {
    name,
    unit: join(UNITS, name),
    environment: join(data.root, 'service-environment'),
  }
}

interface Places {
  readonly data: DataDirectory
  /** The directory of `./mayfly`. */
  readonly program: string
  /** Where the data directory is behind symbolic links; left out: there are none. */
  readonly realRoot?: string
}

export function unitText(
  { environment }: BootService,
  { data, program, realRoot = data.root }: Places,
): string {
  const needed = [...new Set([data.root, realRoot, program])]
  return `[Unit]
Description=Mayfly, the dyno manager of ${percents(data.root)}
# Before their disks are there, there is nothing to bring up.
RequiresMountsFor=${needed.map(path).join(' ')}
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
ExecStart=${word(join(program, 'mayfly'))} up --existing --data ${word(data.root)}
EnvironmentFile=-${percents(environment)}
# Dynos and routers outlive it, and the next takes them on.
KillMode=process
# One part that the kernel ends for memory is begun anew; systemd would end all the others with it.
OOMPolicy=continue
TimeoutStopSec=90
# It ends well when it is told to, as by \`./mayfly down\`.
Restart=on-failure
RestartSec=2
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`
}

/** Of `present`, the environment as it is. As systemd.exec(5) reads it. */
export function environmentText(present: Variables): string {
  return VARIABLES.flatMap((name) => {
    const value = present[name]
    return value === undefined
      ? []
      : [`${name}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"\n`]
  }).join('')
}

/** Written and enabled; it does not run yet. `present`: the environment as it is. A Refusal where systemd does not run the machine. */
export async function enableAtBoot(
  data: DataDirectory,
  installation: Installation,
  { program, present }: { readonly program: string; readonly present: Variables },
): Promise<BootService> {
  if (!existsSync(RUNS)) {
    throw new Refusal(
      `systemd does not run this machine: have what does run \`${join(program, 'mayfly')} up --existing --data ${data.root}\` at boot.`,
    )
  }
  const service = bootService(data, installation)
  const places = { data, program, realRoot: realpathSync(data.root) }
  rmSync(service.environment, { force: true })
  writeFileSync(service.environment, environmentText(present), { mode: 0o600 })
  writeFileSync(service.unit, unitText(service, places))
  await runProgram(['systemctl', 'daemon-reload'])
  await runProgram(['systemctl', 'enable', '--quiet', service.name])
  return service
}

export async function startService({ name }: BootService): Promise<void> {
  await runProgram(['systemctl', 'start', name])
}

/**
 * Resolves once it has begun what it is for. A Refusal as soon as it is at rest, failed or not, or when it has
 * not begun in an hour, or in a minute where systemd has begun it anew.
 */
export async function serviceBegins(
  service: BootService,
  hasBegun: () => boolean,
  { inAll, whenBegunAnew } = BEGINS_WITHIN,
): Promise<void> {
  const began = performance.now()
  while (!hasBegun()) {
    const { state, restarts } = await lifeOf(service)
    const within = restarts > 0 ? whenBegunAnew : inAll
    if (AT_REST.includes(state) || performance.now() - began > within) {
      const { name } = service
      throw new Refusal(`${name} does not come up, it is ${state}: journalctl -u ${name}`)
    }
    await pause(POLL)
  }
}

interface Life {
  /** As `systemctl is-active` says it. */
  readonly state: string
  /** How often systemd has begun it anew since it was started. */
  readonly restarts: number
}

async function lifeOf({ name }: BootService): Promise<Life> {
  const show = [
    'systemctl',
    'show',
    '--property=ActiveState',
    '--property=NRestarts',
    name,
  ]
  const lines = (await runProgram(show)).split('\n')
  const valueOf = (property: string) =>
    lines.find((it) => it.startsWith(`${property}=`))?.slice(property.length + 1) ?? ''
  return { state: valueOf('ActiveState'), restarts: Number(valueOf('NRestarts')) }
}

/**
 * Ended, as `up` ends, and not begun anew before the next boot: systemd begins one anew that fails
 * again and again, or is killed, as soon as whoever ended it looks away. False where it was at rest.
 */
export async function stopService(service: BootService): Promise<boolean> {
  const { name, unit } = service
  if (!existsSync(unit) || !existsSync(RUNS) || isWithin(service)) return false
  if (AT_REST.includes((await lifeOf(service)).state)) return false
  await runProgram(['systemctl', 'stop', name])
  return true
}

/** Ended, as `up` ends, and gone. False where there was none. */
export async function removeService(service: BootService): Promise<boolean> {
  rmSync(service.environment, { force: true })
  if (!existsSync(service.unit)) return false
  const runs = existsSync(RUNS)
  const now = runs && !isWithin(service) ? ['--now'] : []
  await runProgram(['systemctl', 'disable', '--quiet', ...now, service.name])
  rmSync(service.unit)
  if (runs) await runProgram(['systemctl', 'daemon-reload'])
  return true
}

/** Whether it runs this process, as one that is to stop it: who waits for its end there waits for their own. */
function isWithin({ name }: BootService): boolean {
  const cgroups = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  return cgroups.some((it) => it.split('/').includes(name))
}

/** `%` begins what systemd fills in. */
const percents = (text: string) => text.replaceAll('%', '%%')

/** One of several, as systemd.unit(5) reads it. */
const path = (text: string) => `"${percents(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`

/** One word of a command line, as systemd.service(5) reads it. */
const word = (text: string) => path(text).replaceAll('$', '$$$$')
