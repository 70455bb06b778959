/** Builds a stack, the root file system of dynos, from Debian packages; once. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const RECIPES = join(import.meta.dirname, '../../../stacks')
const SUITES: Readonly<Record<string, string>> = { 'debian-12': 'bookworm' }
const SOURCES = '/etc/apt'

/**
 * Ensures `<directory>/<stack>`, which takes about a minute the first time and whenever its
 * recipe has changed: it is a link to what was built by that recipe. What was built before
 * stays, for dynos that run have it mounted. Callers may come at once, in several processes:
 * each builds beside it, the first to finish wins. `progress` is told a line at a time.
 * Throws when the stack can't be built.
 */
export async function ensureStack(
  directory: string,
  stack: string,
  progress: (line: string) => void,
): Promise<void> {
  const suite = SUITES[stack]
  if (!suite) throw new Error(`there is no stack ${stack}`)
  const built = await builtName(stack)
  const root = join(directory, built)
  if (!existsSync(root)) await buildStack(suite)
  await point(join(directory, stack), built)

  async function buildStack(from: string): Promise<void> {
    const draft = join(directory, `.${stack}.${process.pid}`)
    await mkdir(draft, { recursive: true })
    try {
      progress(`Building stack ${stack} from Debian packages`)
      const sources = join(draft, 'debian.sources')
      const mirrors = debianSources(await sourceFiles(), from)
      await writeFile(sources, mirrors)
      await build(
        stackArgs(stack, await packagesOf(stack), {
          suite: from,
          root: join(draft, 'root'),
          sources: mirrors ? sources : undefined,
        }),
      )
      await rename(join(draft, 'root'), root).catch((error: unknown) => {
        if (!existsSync(root)) throw error
      })
      progress(`Stack ${stack} is ready`)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }

  function build(args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'pipe'] })
      let last = ''
      createInterface({ input: child.stderr }).on('line', (line) => {
        last = line
        if (line.startsWith('I: ')) progress(line.slice(3))
      })
      child.once('error', reject)
      child.once('close', (code) => {
        if (code === 0) return resolve()
        reject(new Error(`the stack ${stack} could not be built: ${last}`))
      })
    })
  }
}

/** Names what the recipe makes: `debian-12.<digest>`. */
export async function builtName(stack: string): Promise<string> {
  const digest = createHash('sha256')
  for (const part of ['packages', 'sh']) {
    digest.update(await readFile(join(RECIPES, `${stack}.${part}`)))
  }
  return `${stack}.${digest.digest('hex').slice(0, 12)}`
}

/** At no moment is there nothing of that name, but where a directory was in place of a link. */
async function point(link: string, to: string): Promise<void> {
  const now = await readlink(link).catch(() => undefined)
  if (now === to) return
  const draft = `${link}.${process.pid}.new`
  await rm(draft, { force: true })
  await symlink(to, draft)
  const is = await lstat(link).catch(() => undefined)
  if (is?.isDirectory()) await rename(link, `${link}.before`)
  await rename(draft, link)
}

export interface StackBuild {
  readonly suite: string
  readonly root: string
  /** A file in apt's format; undefined: mmdebstrap's own idea of a mirror. */
  readonly sources: string | undefined
}

/** The arguments of mmdebstrap. */
export function stackArgs(
  stack: string,
  packages: readonly string[],
  { suite, root, sources }: StackBuild,
): string[] {
  return [
    '--variant=minbase',
    '--mode=root',
    '--format=directory',
    `--include=${packages.join(',')}`,
    `--customize-hook=${join(RECIPES, `${stack}.sh`)}`,
    suite,
    root,
    ...(sources ? [sources] : []),
  ]
}

/**
 * Of the machine's own package sources those of the suite, so that its mirrors are used:
 * in either of apt's formats, given as texts; all become stanzas of one deb822 file.
 */
export function debianSources(files: readonly string[], suite: string): string {
  return files
    .flatMap((text) => (/^Types:/m.test(text) ? stanzasOf(text) : linesAsStanzas(text)))
    .filter((stanza) => suitesOf(stanza).some((it) => isOf(it, suite)))
    .join('\n\n')
}

function stanzasOf(text: string): string[] {
  const bare = text.replaceAll(/^#.*\n/gm, '')
  return bare.split(/\n\s*\n/).flatMap((stanza) => stanza.trim() || [])
}

const LINE = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/

function linesAsStanzas(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', uri, suite, components] = LINE.exec(line.trim()) ?? []
    if (!uri) return []
    const key = /signed-by=(\S+)/.exec(options)?.[1]
    const stanza = `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: ${components}`
    return key ? `${stanza}\nSigned-By: ${key}` : stanza
  })
}

function suitesOf(stanza: string): string[] {
  return /^Suites:\s*(.*)$/m.exec(stanza)?.[1]?.split(/\s+/) ?? []
}

function isOf(suite: string, wanted: string): boolean {
  return [wanted, `${wanted}-updates`, `${wanted}-security`].includes(suite)
}

async function sourceFiles(): Promise<string[]> {
  const parts = await readdir(`${SOURCES}/sources.list.d`).catch(() => [])
  const names = parts
    .filter((name) => /\.(list|sources)$/.test(name))
    .map((name) => `${SOURCES}/sources.list.d/${name}`)
  const files = [`${SOURCES}/sources.list`, ...names].filter((file) => existsSync(file))
  return Promise.all(files.map((file) => readFile(file, 'utf8')))
}

async function packagesOf(stack: string): Promise<string[]> {
  const text = await readFile(join(RECIPES, `${stack}.packages`), 'utf8')
  return text.split('\n').filter(Boolean)
}
