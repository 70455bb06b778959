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
  log(only?: OfLog): Promise<string>
  /** What its log says from now on until `end`: of a busy app the last 1,500 lines are those of seconds. */
  tail(only: OfLog): Promise<{ said(): string; end(): Promise<void> }>
}

interface OfLog {
  readonly source: string
  readonly dyno: string
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
    log: async (only) => (await readLog({ lines: 1500, ...only })).text(),
    async tail(only) {
      const { body } = await readLog({ lines: 1, tail: true, ...only })
      assert.ok(body)
      const reader = body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      const all = (async () => {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) return
          text += value
        }
      })()
      return {
        said: () => text,
        async end() {
          await reader.cancel()
          await all
        },
      }
    },
  }

  async function readLog(wanted: object): Promise<Response> {
    const asked = await journey.api('POST', `/apps/${name}/log-sessions`, wanted)
    const answer = await fetch((asked as { readonly logplex_url: string }).logplex_url)
    assert.equal(answer.status, 200)
    return answer
  }
}
