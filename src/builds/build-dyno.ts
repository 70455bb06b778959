/**
 * The dyno that a build runs in. Everything that was made by others — the source, its
 * buildpacks — is unpacked and run in there and nowhere else.
 *
 *   /source      read-only: source.tar.gz, env/ (a file per config var)
 *   /buildpacks  read-only: the built-in buildpacks and the program that drives them all
 *   /cache       the app's, kept from build to build; of limited size
 *   /build       becomes the slug's directory: app/, and beside it what the manager reads;
 *                of limited size, so it is a disk of its own and copied when the dyno is gone
 */

import { GiB } from '../lib/bytes.ts'
import type { Build } from '../model/build.ts'
import type { Amount } from '../model/capacity.ts'
import type { DynoId } from '../model/ids.ts'
import { OPEN_FILES, type Size } from '../model/size.ts'
import type { DynoSpec } from '../runtime/runtime.ts'

/** Bytes, hard limit and quota. */
export const BUILD_MEMORY = 2 * GiB
/** Bytes, of what it writes for the slug, and of the app's cache. */
const BUILD_SPACE = 4 * GiB
const CACHE_SPACE = 2 * GiB
/** What a build may take of the machine. */
export const BUILD_NEEDS: Amount = {
  memory: BUILD_MEMORY,
  disk: BUILD_SPACE + CACHE_SPACE,
}
/**
 * Of a slug: so much is copied, and read once more for its checksum. Ext4 makes as many files for so many bytes. The
 * node_modules of large apps have half as many.
 */
export const SLUG_LIMIT = { bytes: 2 * GiB, files: 131_072 }

/** Standard-2X's share of the processor, with memory for compilers. */
const SIZE: Size = {
  name: 'Build',
  memory: BUILD_MEMORY,
  hardMemory: BUILD_MEMORY,
  cpuShare: 2,
  processes: 4096,
  openFiles: OPEN_FILES,
  hardOpenFiles: OPEN_FILES,
  dedicated: false,
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

export interface BuildDynoFacts {
  readonly build: Build
  /** To fetch the source from; undefined: it is laid out. */
  readonly sourceUrl: string | undefined
  readonly address: string
  /** In the data directory: `buildpacks/3f2a…`. */
  readonly builtIns: string
  readonly buildpacks: readonly string[]
  /** The installation's own: which registry npm asks, a proxy. */
  readonly environment: Readonly<Record<string, string>>
}

/** A build and its dyno have one id. */
export function buildDynoId(build: Pick<Build, 'id'>): DynoId {
  return build.id as string as DynoId
}

/** What was written to /build: a volume with a limit, relative to the data directory. */
export function compiledBy(build: Pick<Build, 'id'>): string {
  return `${filesOf(build)}/build`
}

function filesOf({ id }: Pick<Build, 'id'>): string {
  return `builds/${id}`
}

export function buildDyno(facts: BuildDynoFacts): DynoSpec {
  const { build, sourceUrl, address, builtIns, buildpacks, environment } = facts
  return {
    id: buildDynoId(build),
    name: 'build.1',
    address,
    size: SIZE,
    environment: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      CURL_CA_BUNDLE: CERTIFICATES,
      GIT_SSL_CAINFO: CERTIFICATES,
      NODE_EXTRA_CA_CERTS: CERTIFICATES,
      SSL_CERT_FILE: CERTIFICATES,
      ...environment,
      HOME: '/app',
      DYNO: 'build.1',
      REQUEST_ID: build.id,
      STACK: build.stack,
      SOURCE_VERSION: build.sourceVersion ?? '',
      MAYFLY_SOURCE_URL: sourceUrl ?? '',
      MAYFLY_SOURCE_CHECKSUM: build.sourceChecksum ?? '',
      MAYFLY_BUILDPACKS: buildpacks.join('\n'),
    },
    command: 'exec /buildpacks/compile',
    stack: build.stack,
    volumes: [
      { from: `${filesOf(build)}/source`, at: '/source', writable: false },
      { from: builtIns, at: '/buildpacks', writable: false },
      { from: `cache/${build.app}`, at: '/cache', writable: true, limit: CACHE_SPACE },
      { from: compiledBy(build), at: '/build', writable: true, limit: BUILD_SPACE },
    ],
  }
}
