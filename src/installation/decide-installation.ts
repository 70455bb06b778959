/**
 * What set-up decides: the id, the ports, the regions and their networks, once and for all;
 * the apps' domain and the HTTPS ports until they are wished otherwise.
 */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'

import type { DataDirectory, InstalledRegion, Installation } from './data-directory.ts'
import { freeSubnets, usedNetworks } from './free-subnets.ts'
import { findInstallation } from './open-installation.ts'
import { outOfReach } from './out-of-reach.ts'
import { Refusal } from './refusal.ts'

const DEFAULT_API_PORT = 5080
const DEFAULT_HTTP_PORT = 8080
const DEFAULT_HTTPS_PORT = 8443
const DEFAULT_DOMAIN = 'localhost'
const DEFAULT_REGIONS: readonly string[] = ['us', 'eu']

/** A unix socket's path has 107 bytes at most, and ours lie up to 40 below the data directory. */
const LONGEST_PATH = 64

/** Of the authority that certificates are asked of. */
export interface AcmeWishes {
  /** Empty: none any more. */
  readonly directory: string | undefined
  readonly email: string | undefined
  /** A file with the certificates of who vouches for it. */
  readonly trusted: string | undefined
}

/** What the command line says; what it leaves open is undefined. */
export interface Wishes {
  readonly apiPort: number | undefined
  readonly httpPort: number | undefined
  readonly httpsPort: number | undefined
  /** Below which each app has its default domain. */
  readonly domain: string | undefined
  readonly acme: AcmeWishes
  readonly regions: readonly string[] | undefined
  /** There is a DATABASE_URL. */
  readonly databaseElsewhere: boolean
}

/**
 * The installation that is there, or a new one, as wished; nothing is written down. `beyond`:
 * addresses and networks that its dynos are to reach, so that none of their own lies over them.
 */
export async function decideInstallation(
  data: DataDirectory,
  wishes: Wishes,
  beyond: readonly string[] = [],
): Promise<Installation> {
  const present = findInstallation(data)
  if (present) {
    mustBeAsWished(present, wishes)
    return changed(present, wishes)
  }

  mustSuit(data.root)
  const regions = wishes.regions ?? DEFAULT_REGIONS
  const httpPort = wishes.httpPort ?? DEFAULT_HTTP_PORT
  const httpsPort = wishes.httpsPort ?? DEFAULT_HTTPS_PORT
  const id = randomBytes(3)
  const used = [...(await usedNetworks()), ...beyond]
  const subnets = freeSubnets(regions.length, used, id.readUIntBE(0, 3))
  return {
    id: id.toString('hex'),
    apiPort: wishes.apiPort ?? DEFAULT_API_PORT,
    domain: wishes.domain ?? DEFAULT_DOMAIN,
    regions: regions.map((name, at) => ({
      name,
      httpPort: httpPort + at,
      httpsPort: httpsPort + at,
      subnet: subnets[at] ?? '',
    })),
    ...asked(undefined, wishes.acme),
    ...(wishes.databaseElsewhere && { database: 'elsewhere' }),
  }
}

/** Written down, where it is another than before: once it is known to do, for each later `up` goes by it. */
export function keepInstallation(data: DataDirectory, installation: Installation): void {
  const text = textOf(installation)
  const before = findInstallation(data)
  if (before && text === textOf(before)) return
  mkdirSync(data.root, { recursive: true })
  const draft = `${data.installation}.new`
  writeFileSync(draft, text, { flush: true })
  renameSync(draft, data.installation)
}

const textOf = (installation: Installation) =>
  `${JSON.stringify(installation, undefined, 2)}\n`

/** One that was set up before the routers took TLS has no ports for that. */
function changed(
  present: Installation,
  { domain, httpsPort, acme }: Wishes,
): Installation {
  const [region]: readonly Partial<InstalledRegion>[] = present.regions
  const first = httpsPort ?? region?.httpsPort ?? DEFAULT_HTTPS_PORT
  return {
    ...present,
    domain: domain ?? present.domain,
    regions: present.regions.map((it, at) => ({ ...it, httpsPort: first + at })),
    ...asked(present.acme, acme),
  }
}

/** Another authority is asked with what is said of it now; an empty one ends it. */
function asked(
  present: Installation['acme'],
  { directory, email, trusted }: AcmeWishes,
): Pick<Installation, 'acme'> {
  if (directory === '') return { acme: undefined }
  if (trusted !== undefined && !existsSync(trusted)) {
    throw new Refusal(`--acme-trusted ${trusted} is not there.`)
  }
  const before =
    directory === undefined || directory === present?.directory ? present : undefined
  const url = directory ?? before?.directory
  if (url === undefined) {
    if (email === undefined && trusted === undefined) return {}
    throw new Refusal('--acme-email and --acme-trusted take an --acme-directory.', 2)
  }
  return {
    acme: {
      directory: url,
      email: email ?? before?.email,
      trusted: trusted ?? before?.trusted,
    },
  }
}

function mustBeAsWished(present: Installation, wishes: Wishes): void {
  const is = {
    apiPort: present.apiPort,
    httpPort: present.regions[0]?.httpPort,
    regions: present.regions.map((it) => it.name),
  }
  const differences: [
    string,
    string | number | undefined,
    string | number | undefined,
  ][] = [
    ['--api-port', wishes.apiPort, is.apiPort],
    ['--http-port', wishes.httpPort, is.httpPort],
    ['--regions', wishes.regions?.join(','), is.regions.join(',')],
  ]
  for (const [flag, wished, actual] of differences) {
    if (wished === undefined || wished === actual) continue
    throw new Refusal(
      `This installation was set up with ${flag} ${actual}, and that can't be changed to ${wished}.`,
    )
  }
  mustKeepItsDatabase(present, wishes)
}

/**
 * On another database nobody knows the dynos that run: they would be swept away; and what an
 * operator wants done would be done there.
 */
export function mustKeepItsDatabase(
  { database }: Installation,
  { databaseElsewhere }: Pick<Wishes, 'databaseElsewhere'>,
): void {
  if (database === 'elsewhere' && !databaseElsewhere) {
    throw new Refusal(
      'This installation keeps its data in a PostgreSQL of yours: give DATABASE_URL, as when it was set up.',
    )
  }
  if (database === undefined && databaseElsewhere) {
    throw new Refusal(
      'This installation has a PostgreSQL of its own, and DATABASE_URL names another: unset it.',
    )
  }
}

function mustSuit(root: string): void {
  if (Buffer.byteLength(root) > LONGEST_PATH) {
    throw new Refusal(`The path ${root} is too long: ${LONGEST_PATH} bytes are the most.`)
  }
  const locked = outOfReach(root)
  if (locked !== undefined) {
    throw new Refusal(
      `Mayfly's own users can't get into ${locked}: choose another directory with --data.`,
    )
  }
  // Ours alone is a draft that a killed set-up left.
  const others = existsSync(root)
    ? readdirSync(root).filter((it) => it !== 'installation.json.new')
    : []
  if (others.length > 0) {
    throw new Refusal(
      `${root} is not empty and not an installation of Mayfly's: choose another with --data.`,
    )
  }
}
