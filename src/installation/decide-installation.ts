/** What set-up decides once: the id, the ports, the regions and their networks. */

import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

import type { DataDirectory, Installation } from './data-directory.ts'
import { freeSubnets, usedNetworks } from './free-subnets.ts'
import { findInstallation } from './open-installation.ts'
import { Refusal } from './refusal.ts'

export const DEFAULT_API_PORT = 5080
export const DEFAULT_HTTP_PORT = 8080
export const DEFAULT_REGIONS: readonly string[] = ['us', 'eu']

/** A unix socket's path has 107 bytes at most, and ours lie up to 40 below the data directory. */
const LONGEST_PATH = 64

/** What the command line says; what it leaves open is undefined. */
export interface Wishes {
  readonly apiPort: number | undefined
  readonly httpPort: number | undefined
  readonly regions: readonly string[] | undefined
  /** There is a DATABASE_URL. */
  readonly databaseElsewhere: boolean
}

/** The installation that is there, or a new one as wished. */
export async function decideInstallation(
  data: DataDirectory,
  wishes: Wishes,
): Promise<Installation> {
  const present = findInstallation(data)
  if (present) return mustBeAsWished(present, wishes)

  mustSuit(data.root)
  mkdirSync(data.root, { recursive: true })
  const regions = wishes.regions ?? DEFAULT_REGIONS
  const httpPort = wishes.httpPort ?? DEFAULT_HTTP_PORT
  const id = randomBytes(3)
  const subnets = freeSubnets(regions.length, await usedNetworks(), id.readUIntBE(0, 3))
  const installation: Installation = {
    id: id.toString('hex'),
    apiPort: wishes.apiPort ?? DEFAULT_API_PORT,
    domain: 'localhost',
    regions: regions.map((name, at) => ({
      name,
      httpPort: httpPort + at,
      subnet: subnets[at] ?? '',
    })),
    ...(wishes.databaseElsewhere && { database: 'elsewhere' }),
  }
  const draft = `${data.installation}.new`
  writeFileSync(draft, `${JSON.stringify(installation, undefined, 2)}\n`, { flush: true })
  renameSync(draft, data.installation)
  return installation
}

function mustBeAsWished(present: Installation, wishes: Wishes): Installation {
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
  return present
}

/** On another database nobody knows the dynos that run: they would be swept away. */
function mustKeepItsDatabase(
  { database }: Installation,
  { databaseElsewhere }: Wishes,
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
  for (let at = dirname(root); at !== '/'; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) {
      throw new Refusal(
        `Mayfly's own users can't get into ${at}: choose another directory with --data.`,
      )
    }
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
