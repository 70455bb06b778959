/** What a run of the tests left on the machine: all that bears the name of an installation of its own. */

import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { findInstallation } from './open-installation.ts'
import { dataDirectory } from './data-directory.ts'
import { runProgram } from './run-program.ts'

export interface Remain {
  readonly kind: 'process' | 'mount' | 'namespace' | 'link' | 'table' | 'cgroup'
  /** A pid, a path, or the name that the machine knows it by. */
  readonly name: string
  /** For people. */
  readonly details?: string
}

/** What carries the id of some installation, whoever's; two looks compared say what came between them. */
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
    ...[...tables.matchAll(/^table inet (mayfly_\S+)$/gm)].map(
      ([, name = '']): Remain => ({ kind: 'table', name }),
    ),
    ...globSync('/sys/fs/cgroup/{,*/}mayfly-*').map((name): Remain => ({
      kind: 'cgroup',
      name,
    })),
  ]
}

/** What runs or is mounted in the run's temporary directory. */
export function remainsIn(directory: string): Remain[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return [
    ...processIds()
      .filter((pid) =>
        ['environ', 'cmdline'].some((it) => ofProcess(pid, it).includes(directory)),
      )
      .map((name): Remain => ({
        kind: 'process',
        name,
        details: ofProcess(name, 'cmdline').replaceAll('\0', ' '),
      })),
    ...mounts
      .map((it) => it.split(' ')[4] ?? '')
      .filter((it) => it.startsWith(`${directory}/`))
      .map((name): Remain => ({ kind: 'mount', name })),
  ]
}

/** What was not there before and is no running installation's outside the run's directory. */
export async function leftBehind(
  directory: string,
  before: readonly Remain[],
): Promise<Remain[]> {
  const known = new Set(before.map((it) => it.name))
  const others = installationsOutside(directory)
  const named = await namedRemains()
  const ours = named.filter(
    ({ name }) => !known.has(name) && !others.some((id) => name.includes(id)),
  )
  return [...remainsIn(directory), ...ours]
}

/** The ids of those that have a part running. */
function installationsOutside(directory: string): string[] {
  const roots = processIds().flatMap((pid) =>
    ofProcess(pid, 'environ')
      .split('\0')
      .filter((it) => it.startsWith('MAYFLY_DATA='))
      .map((it) => it.slice('MAYFLY_DATA='.length)),
  )
  return [...new Set(roots)]
    .filter((root) => !root.startsWith(`${directory}/`))
    .flatMap((root) => findInstallation(dataDirectory(root))?.id ?? [])
}

const processIds = () =>
  readdirSync('/proc').filter((it) => /^\d+$/.test(it) && Number(it) !== process.pid)

/** Empty for a process that is gone by now. */
function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8')
  } catch {
    return ''
  }
}
