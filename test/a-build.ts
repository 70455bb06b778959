/** Builds in tests: what a look at one needs, where there is room for every build, and a region of them. */

import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach } from 'node:test'

import type { Pool } from 'pg'

import { createBuild } from '../src/actions/create-build.ts'
import { createSource } from '../src/actions/create-source.ts'
import type { BuildDeps } from '../src/builds/build-deps.ts'
import { lookAfterBuild } from '../src/builds/look-after-build.ts'
import { type DataDirectory, dataDirectory } from '../src/installation/data-directory.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import type { Account, App } from '../src/model/app.ts'
import type { Build } from '../src/model/build.ts'
import type { BuildId } from '../src/model/ids.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { findBuild } from '../src/store/builds.ts'
import { outputFrom } from '../src/store/output.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { type AnApp, anApp, secrets } from './an-app.ts'
import { ScriptedRuntime } from './scripted-runtime.ts'

export function buildDeps(pool: Pool, runtime: Runtime, data: DataDirectory): BuildDeps {
  return {
    pool,
    runtime,
    secrets,
    clock: systemClock,
    data,
    uploaders: [process.getuid?.() ?? 0],
    log: silentLog,
    region: 'us',
    builtIns: 'buildpacks/x',
    buildEnvironment: {},
    placeBuild: (begin) => inTransaction(pool, begin),
  }
}

/** The builds of a region, whose dynos do what a test says, and a clock that stands; anew for each test. */
export function aRegionOfBuilds(pool: Pool): RegionOfBuilds {
  const builds = new RegionOfBuilds(pool)
  before(() => mkdir(builds.data.sources))
  after(() => rm(builds.data.root, { recursive: true }))
  beforeEach(() => builds.begin())
  return builds
}

class RegionOfBuilds {
  readonly data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-build-')))
  runtime = new ScriptedRuntime()
  now = systemClock.now()
  readonly #pool: Pool
  #own: AnApp | undefined

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async begin(): Promise<void> {
    this.runtime = new ScriptedRuntime()
    this.now = systemClock.now()
    this.#own = await anApp(this.#pool)
  }

  get app(): App {
    assert.ok(this.#own)
    return this.#own.app
  }

  get account(): Account {
    assert.ok(this.#own)
    return this.#own.account
  }

  deps(): BuildDeps {
    const clock = { now: () => this.now }
    return { ...buildDeps(this.#pool, this.runtime, this.data), clock }
  }

  /** Until the build waits for something. */
  async look(build: Build, deps = this.deps()): Promise<void> {
    const { signal } = new AbortController()
    for (let looks = 0; looks < 10; looks++) {
      const killed = this.runtime.killed.length
      const delay = await lookAfterBuild(deps)(build.id, signal)
      if (delay > 0 && this.runtime.killed.length === killed) return
    }
    assert.fail('the build wants looking at again and again')
  }

  async aBuild(of?: Build['source']): Promise<Build> {
    const { app, account } = this
    return inTransaction(this.#pool, async (tx) => {
      const source = of ?? (await createSource(tx, account.id)).id
      await writeFile(this.data.sourceFile(source), 'a tarball')
      const version = '5f2a1c3e9999'
      return createBuild(tx, { app, account, source, sourceUrl: null, version })
    })
  }

  /** What its dyno leaves for the slug's directory. */
  async leave(build: Build, files: Readonly<Record<string, string>>): Promise<void> {
    const slug = join(this.data.slugs, build.id)
    await mkdir(join(slug, 'app'), { recursive: true })
    for (const [name, text] of Object.entries(files))
      await writeFile(join(slug, name), text)
  }

  async read(build: Build): Promise<Build> {
    const found = await findBuild(this.#pool, build.id)
    assert.ok(found)
    return found
  }

  outputOf(build: Build): Promise<string> {
    return outputOf(this.#pool, build)
  }
}

/** All of it. */
export async function outputOf(
  pool: Pool,
  build: { readonly id: BuildId },
): Promise<string> {
  let text = ''
  for (let at = 0; ;) {
    const pieces = await outputFrom(pool, { build: build.id }, at)
    if (pieces.length === 0) return text
    text += pieces.map((piece) => piece.text).join('')
    at = pieces.at(-1)?.next ?? at
  }
}
