/**
 * What a push does, as git's pre-receive hook: it has the pushed tree built and shows how
 * that goes; the push is taken only if the build succeeds. It outlives restarts of the
 * manager, and of the database once the build is asked for.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'

import type { Pool } from 'pg'

import { createBuild } from '../actions/create-build.ts'
import { createSource } from '../actions/create-source.ts'
import { lockPresentApp } from '../actions/lock-present-app.ts'
import type { DataDirectory } from '../installation/data-directory.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { storeFile } from '../lib/store-file.ts'
import type { Account, App } from '../model/app.ts'
import { type Build, TEXT_LIMIT } from '../model/build.ts'
import type { ReleaseId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { sourceBounds } from '../model/source.ts'
import { findBuild, hasPushUnderWay } from '../store/builds.ts'
import { followOutput } from '../store/follow-output.ts'
import { inTransaction } from '../store/queryable.ts'
import { routersHeed } from '../store/routers-heed.ts'
import { forgetUpload, markUploaded } from '../store/sources.ts'
import { releaseStands } from './follow-release.ts'
import {
  areDeletions,
  deletesDeployed,
  type PushedRef,
  refToBuild,
  refuseTooManyRefs,
} from './pushed-refs.ts'
import { boundedGit, runGit } from './run-git.ts'

export interface PushDeps {
  readonly pool: Pool
  readonly data: DataDirectory
  readonly app: App
  readonly account: Account
  /** Git's own for this push: with it, git sees the objects that are in quarantine. */
  readonly gitEnvironment: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
}

const UNDER_WAY = 'Another push to this app is being built: push again when it has ended.'

/** Whether git may take the push. */
export async function receivePush(
  refs: readonly PushedRef[],
  deps: PushDeps,
): Promise<boolean> {
  const { print, app } = deps
  // Else git would refuse the push whose release runs by then.
  if (deletesDeployed(refs) && (await hasPushUnderWay(deps.pool, app.id))) {
    throw new Problem('conflict', UNDER_WAY)
  }
  if (areDeletions(refs)) return true
  await refuseTooManyRefs(refs, deps.gitEnvironment)
  const ref = refToBuild(refs)
  if (!ref) {
    print('Pushed to non-main branch, skipping build.\n')
    return true
  }
  if (await hasMoved(ref, deps)) {
    throw new Problem('conflict', `${ref.name} has changed meanwhile: push again.`)
  }
  print('Compressing source files... done.\n')
  const build = await requestBuild(ref, deps)
  print('Building source:\n\n')
  for await (const text of followOutput(deps.pool, { build: build.id })) print(text)
  const release = await releaseOf(build, deps)
  if (release) {
    print('Verifying deploy... done.\n')
    if (await releaseStands(release, deps)) {
      // A database that is away for a moment is no reason to refuse what runs already.
      await routersHeed(deps.pool).catch(() => {})
      return true
    }
  }
  print(`\n !     Push rejected to ${app.name}.\n`)
  return false
}

async function requestBuild(ref: PushedRef, deps: PushDeps): Promise<Build> {
  const { pool, data, app, account } = deps
  const description = await subjectOf(ref.to, deps)
  const source = await inTransaction(pool, (tx) => createSource(tx, account.id))
  const file = data.sourceFile(source.id)
  try {
    await storeFile(archiveOf(ref.to, deps), file, sourceBounds)
    return await inTransaction(pool, async (tx) => {
      await lockPresentApp(tx, app.id)
      // Git would refuse the one that is built last, when its release runs already.
      if (await hasPushUnderWay(tx, app.id)) {
        throw new Problem('conflict', UNDER_WAY)
      }
      await markUploaded(tx, source.id)
      return createBuild(tx, {
        app,
        account,
        source: source.id,
        sourceUrl: null,
        version: ref.to,
        description,
      })
    })
  } catch (error) {
    if (error instanceof Problem) {
      await rm(file, { force: true })
      await forgetUpload(pool, source.id)
    }
    throw error
  }
}

/** The first line of what the commit says of itself, as far as a build keeps of it. */
async function subjectOf(commit: string, { gitEnvironment }: PushDeps): Promise<string> {
  const format = `--format=%<(${TEXT_LIMIT},trunc)%s`
  const subject = await runGit(['log', '-1', format, commit], gitEnvironment)
  return subject.slice(0, TEXT_LIMIT).trim()
}

/** Git compares only after the build. */
async function hasMoved(
  { name, from }: PushedRef,
  { gitEnvironment }: PushDeps,
): Promise<boolean> {
  const now = await runGit(
    ['for-each-ref', '--format=%(objectname)', name],
    gitEnvironment,
  )
  // None yet is all zeros to the hook.
  return now.trim() !== from.replace(/^0+$/, '')
}

/** The commit's tree as a tarball. */
async function* archiveOf(
  commit: string,
  { gitEnvironment }: PushDeps,
): AsyncGenerator<Buffer> {
  // A tree of ten times itself, five times over, is some hundred bytes more, and a disk full.
  const git = spawn(...boundedGit('archive', '--format=tar.gz', commit), {
    env: gitEnvironment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(git, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  // It may end before anybody asks.
  ended.catch(() => {})
  yield* git.stdout as AsyncIterable<Buffer>
  const [status, signal] = await ended
  if (signal === 'SIGXCPU') throw sourceBounds.tooLarge()
  if (status !== 0) throw new Error(`git archive ended with status ${status ?? signal}`)
}

/** What the build has come to; null: it failed. */
async function releaseOf(build: Build, { pool }: PushDeps): Promise<ReleaseId | null> {
  for (;;) {
    const now = await findBuild(pool, build.id).catch(() => build)
    if (!now || now.status !== 'pending') return now?.release ?? null
    await pause(SECOND)
  }
}
