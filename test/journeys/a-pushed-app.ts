/**
 * One of test/apps, examples or bench as its owner has it: a git repository with a `heroku` remote.
 * One of Node.js is built and started several times as slowly as one of Perl or of a Procfile alone.
 */

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'

import type { Journey } from './a-journey.ts'

const root = join(import.meta.dirname, '../..')

export interface PushedApp {
  readonly name: string
  readonly url: string
  readonly directory: string
  /** Runs the CLI for this app and gives what it printed; throws when it fails. */
  heroku(...args: string[]): Promise<string>
  git(...args: string[]): Promise<string>
  /** Commits what is there and pushes it; gives what the push printed. */
  push(message: string): Promise<string>
  /** The app's log by the CLI, all of it unless `--num` is given. */
  logs(...args: string[]): Promise<string>
  /** All of it, or of a source and a dyno, as the API gives it to the CLI: for who asks until it says something. */
  log(only?: { readonly source: string; readonly dyno: string }): Promise<string>
}

interface Wish {
  /** A directory relative to the repository's root. */
  readonly source: string
  readonly name: string
  /** Arguments of `heroku create`. Left out, the API makes it: the CLI takes more than a second of a processor. */
  readonly create?: readonly string[]
}

/** Nothing is pushed yet. */
export async function anApp(
  journey: Journey,
  { source, name, create }: Wish,
): Promise<PushedApp> {
  const directory = mkdtempSync(join(journey.home, `${name}-`))
  cpSync(join(root, source), directory, { recursive: true })
  const git = (...args: string[]) => journey.git(directory, ...args)
  const heroku = (...args: string[]) => journey.heroku(...args, '--app', name)

  await git('init', '--quiet', '--initial-branch', 'main')
  await git('config', 'user.email', 'dev@example.com')
  await git('config', 'user.name', 'A developer')
  if (create) await journey.herokuIn(directory, 'create', name, ...create)
  else {
    await journey.api('POST', '/apps', { name })
    const remote = `https://${journey.env['HEROKU_GIT_HOST']}/${name}.git`
    await git('remote', 'add', 'heroku', remote)
  }

  return {
    name,
    directory,
    url: journey.url(name),
    heroku,
    git,
    async push(message) {
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '--message', message)
      return git('push', 'heroku', 'main')
    },
    logs: (...args) => {
      const all = args.includes('--num') ? [] : ['--num', '1500']
      return journey.stdoutOfHeroku('logs', '--no-color', '--app', name, ...all, ...args)
    },
    async log(only) {
      const asked = await journey.api('POST', `/apps/${name}/log-sessions`, {
        lines: 1500,
        ...only,
      })
      const answer = await fetch((asked as { readonly logplex_url: string }).logplex_url)
      assert.equal(answer.status, 200)
      return answer.text()
    },
  }
}
