/** Deploys examples/hello-node as an app, once in an installation's life, as its user would. */

import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { clientEnvironment } from '../../src/installation/client-environment.ts'
import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'
import { readApiKey } from '../../src/installation/keys.ts'
import { program } from './settings.ts'

const APP = 'hello-node'
const NAME_IS_TAKEN = 422

/** Its failure is told and harms nothing; the next `up` tries again. */
export async function deployExample(
  data: DataDirectory,
  installation: Installation,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const done = join(data.root, 'example-deployed')
  if (existsSync(done)) return
  say(`deploying ${APP}, an example`)
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-example-'))
  try {
    await createApp(installation, readApiKey(data), signal)
    cpSync(join(program, 'examples', APP), directory, { recursive: true })
    await pushTree(directory, data, installation, signal)
    writeFileSync(done, '')
  } catch (error) {
    if (!signal.aborted) say(`${APP} could not be deployed: ${String(error)}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function createApp(
  { apiPort }: Installation,
  apiKey: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(`http://localhost:${apiPort}/apps`, {
    method: 'POST',
    headers: {
      accept: 'application/vnd.heroku+json; version=3',
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: APP }),
    signal,
  })
  if (response.ok || response.status === NAME_IS_TAKEN) return
  throw new Error(`the API answers ${response.status}: ${await response.text()}`)
}

async function pushTree(
  directory: string,
  data: DataDirectory,
  installation: Installation,
  signal: AbortSignal,
): Promise<void> {
  const env = {
    PATH: process.env['PATH'],
    // Whoever runs this may have settings that get in the way, such as signed commits.
    HOME: directory,
    ...clientEnvironment(data, installation, { apiKey: readApiKey(data), present: {} }),
  }
  const identity = ['-c', 'user.name=Mayfly', '-c', 'user.email=mayfly@localhost']
  const remote = `https://localhost:${installation.apiPort}/${APP}.git`
  const commands = [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '.'],
    [...identity, 'commit', '--quiet', '--message=Say hello'],
    ['push', '--quiet', '--force', remote, 'main'],
  ]
  for (const args of commands) await git(args, { cwd: directory, env, signal })
}

interface GitOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

function git(args: readonly string[], options: GitOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('git', args, options, (error, _, stderr) => {
      if (!error) return resolve()
      reject(new Error(stderr.trim() || error.message))
    })
  })
}
