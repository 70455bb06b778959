/** Everything on the machine that bears the name of some installation of Mayfly's. */

import { globSync, readdirSync, readFileSync } from 'node:fs'

import { runProgram } from './run-program.ts'

/** One line each. Two looks compared say what was left between them. */
export async function remains(): Promise<string[]> {
  const [links, namespaces, tables] = await Promise.all([
    runProgram(['ip', '-json', 'link', 'show']),
    runProgram(['ip', '-json', 'netns', 'list']),
    runProgram(['nft', 'list', 'tables']),
  ])
  type Named = { readonly ifname?: string; readonly name?: string }
  const linkNames = (JSON.parse(links) as Named[]).map((it) => it.ifname ?? '')
  const namespaceNames = (JSON.parse(namespaces || '[]') as Named[]).map(
    (it) => it.name ?? '',
  )
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return [
    ...linkNames.filter((it) => /^m[fv][0-9a-f]{6}/.test(it)).map((it) => `link ${it}`),
    ...namespaceNames.filter((it) => it.startsWith('mf-')).map((it) => `namespace ${it}`),
    ...tables.split('\n').filter((it) => it.startsWith('table inet mayfly_')),
    ...mounts
      .map((it) => it.split(' ')[4] ?? '')
      .filter((it) => it.includes('mayfly'))
      .map((it) => `mount ${it}`),
    ...globSync('/sys/fs/cgroup/{,*/}mayfly-*').map((it) => `cgroup ${it}`),
    ...processes(),
  ]
}

/** Those that are told of an installation, those in one's cgroup, and databases of tests. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it) && Number(it) !== process.pid)
    .filter((pid) => {
      const environment = textOf(`/proc/${pid}/environ`)
      const isPart = environment.split('\0').some((it) => it.startsWith('MAYFLY_DATA='))
      const isConfined = /[:/]mayfly-[0-9a-f]{6}/.test(textOf(`/proc/${pid}/cgroup`))
      return isPart || isConfined || textOf(`/proc/${pid}/cmdline`).includes('/mayfly-')
    })
    .map(
      (pid) => `process ${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`,
    )
}

/** A process may be gone by now. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
