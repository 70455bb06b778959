/** What a run of the tests left on the machine: all that bears the name of an installation of its own. */

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { runProgram } from '../lib/run-program.ts'
import { dataDirectory } from './data-directory.ts'
import { mountPoints } from './mount-points.ts'
import { findInstallation } from './open-installation.ts'
import { ownProcesses } from './own-processes.ts'
import { ourUids } from './users.ts'

export interface Remain {
  readonly kind: 'process' | 'mount' | 'namespace' | 'link' | 'table' | 'cgroup'
  /** A pid, a path, or the name that the machine knows it by. */
  readonly name: string
  /** For people. */
  readonly details?: string
}

/** What carries the id of some installation, whoever's. */
export async function namedRemains(): Promise<Remain[]> {
  const [links, namespaces, tables] = await Promise.all([
    runProgram(['ip', '-json', 'link', 'show']),
    runProgram(['ip', '-json', 'netns', 'list']),
    runProgram(['nft', 'list', 'tables']),
  ])
  type Named = { readonly ifname?: string; readonly name?: string }
  return [
    ...(JSON.parse(namespaces || '[]') as Named[])
      .map((it) => it.name ?? '')
      .filter((it) => it.startsWith('mf-'))
      .map((name): Remain => ({ kind: 'namespace', name })),
    ...(JSON.parse(links) as Named[])
      .map((it) => it.ifname ?? '')
      .filter((it) => /^m[fv][0-9a-f]{6}/.test(it))
      .map((name): Remain => ({ kind: 'link', name })),
    // With its family: a region has one of each.
    ...[...tables.matchAll(/^table ((?:inet|arp) mayfly_\S+)$/gm)].map(
      ([, name = '']): Remain => ({ kind: 'table', name }),
    ),
    ...globSync('/sys/fs/cgroup/{,*/}mayfly-*').map((name): Remain => ({
      kind: 'cgroup',
      name,
    })),
  ]
}

/**
 * What runs or is mounted in the run's temporary directory. Of processes only Mayfly's users': what
 * they run is killed, and anybody can name the directory.
 */
export function remainsIn(directory: string): Remain[] {
  return [
    ...ownProcesses(ourUids(), (pid) => pid !== process.pid && isOf(pid, directory))
      .map(({ pid }) => String(pid))
      .map((name): Remain => ({
        kind: 'process',
        name,
        details: ofProcess(name, 'cmdline').replaceAll('\0', ' '),
      })),
    ...mountPoints()
      .filter((it) => it.startsWith(`${directory}/`))
      .map((name): Remain => ({ kind: 'mount', name })),
  ]
}

/** The file in a run's directory that tests name their installations in, an id a line. */
export const idsFile = (directory: string) => join(directory, 'ids')

/**
 * What the run's own installations left. Only those that are known to be its own count:
 * others may come and go beside it, from other process namespaces even.
 */
export async function leftBehind(directory: string): Promise<Remain[]> {
  const here = remainsIn(directory)
  const ids = new Set([
    ...notedIds(directory),
    ...presentIds(directory),
    ...here.flatMap(idOf),
  ])
  const named = await namedRemains()
  const ours = named.filter(({ name }) => [...ids].some((id) => name.includes(id)))
  return [...here, ...ours]
}

function notedIds(directory: string): string[] {
  const file = idsFile(directory)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

/** Of installations that nobody took down: the run was interrupted. */
function presentIds(directory: string): string[] {
  return globSync(`${directory}/*/{,*/}installation.json`).flatMap(
    (file) => findInstallation(dataDirectory(dirname(file)))?.id ?? [],
  )
}

/** Of the installation whose cgroup the process is in. */
function idOf({ kind, name }: Remain): string[] {
  const [, id] = /[:/]mayfly-([0-9a-f]{6})/.exec(ofProcess(name, 'cgroup')) ?? []
  return kind === 'process' && id !== undefined ? [id] : []
}

const isOf = (pid: number, directory: string) =>
  ['environ', 'cmdline'].some((it) => ofProcess(String(pid), it).includes(directory))

/** Empty for a process that is gone by now. */
function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8')
  } catch {
    return ''
  }
}
