/** Git over HTTP for every app, on a unix socket: the api passes `/<app>.git/…` on to it. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { gitServer } from '../src/builds/git-server.ts'
import { pruneRepositories } from '../src/builds/prune-repositories.ts'
import { systemClock } from '../src/lib/clock.ts'
import { listenOnSocket } from '../src/lib/listen-on-socket.ts'
import { startPart } from './part.ts'

// The hook that git starts asks the same database. Taken before the part hides it.
const databaseUrl = process.env['DATABASE_URL']
const part = startPart('git', 8)
const { pool, data, log, signal } = part

const server = gitServer({
  pool,
  data,
  log,
  clock: systemClock,
  hooks: join(import.meta.dirname, 'git-hooks'),
  hookEnvironment: {
    MAYFLY_DATA: data.root,
    MAYFLY_NODE: process.execPath,
    MAYFLY_PRE_RECEIVE: join(import.meta.dirname, 'pre-receive.ts'),
    // The hook runs what is there, as the same user, who alone may write it.
    NODE_COMPILE_CACHE: join(data.run('git'), 'compiled'),
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
  },
})

const socket = join(data.run('git'), 'http.sock')
mkdirSync(data.run('git'), { recursive: true })
void pruneRepositories({ pool, data, log }, signal)

signal.addEventListener('abort', () => {
  // Pushes under way go on to their end; the supervisor says how long.
  server.close(() => void pool.end())
  server.closeIdleConnections()
})
await listenOnSocket(server, socket, 0o660)
part.ready()
