/** The files that HAProxy reads beside its configuration. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { APPLICATION_ERROR, MISDIRECTED, NO_SUCH_APP, PAGES, REFUSED } from './pages.ts'
import type { RouterPaths } from './router-paths.ts'
import type { RoutingTable } from './routing-table.ts'

/** Path to content: all that the configuration names. */
export function routerFiles(
  table: RoutingTable,
  paths: RouterPaths,
  lua: string,
): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(PAGES).map(([code, { html }]): [string, string] => [
      join(paths.pages, `${code}.html`),
      html,
    ]),
    ...REFUSED.map(({ status, html }): [string, string] => [
      join(paths.pages, `${status}.html`),
      html,
    ]),
    [paths.noSuchApp, NO_SUCH_APP.html],
    [paths.misdirected, MISDIRECTED.html],
    [paths.applicationError, APPLICATION_ERROR.html],
    [paths.lua, lua],
    [paths.hostsMap, mapText(table.hosts)],
    [paths.challengesMap, mapText(table.challenges)],
  ])
}

function mapText(map: ReadonlyMap<string, string>): string {
  return [...map].map(([key, value]) => `${key} ${value}\n`).join('')
}

/**
 * Files of which only changes are written, each at once or not at all. It remembers what
 * it wrote, and so must be the only one to write them.
 */
export class Files {
  readonly #known = new Map<string, string>()

  /** Whether the file is there and has this text in it. */
  async holds(path: string, text: string): Promise<boolean> {
    const present = this.#known.get(path) ?? (await contentOf(path))
    return present?.includes(text) ?? false
  }

  /** `check` may refuse the new file by throwing. */
  async write(
    path: string,
    content: string,
    check?: (path: string) => Promise<void>,
  ): Promise<void> {
    const present = this.#known.get(path) ?? (await contentOf(path))
    if (present !== content) {
      await mkdir(dirname(path), { recursive: true })
      const next = `${path}.next`
      await writeFile(next, content)
      await check?.(next)
      await rename(next, path)
    }
    this.#known.set(path, content)
  }
}

/** Undefined: there is no such file. */
export async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
