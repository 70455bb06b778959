/** Another proxy, in front of the same dyno as the router. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { AppId, DynoId } from '../src/model/ids.ts'
import { freePort } from '../test/free-ports.ts'
import { until } from '../test/until.ts'
import type { Bench } from './installation.ts'

export interface PeerProxy {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

export interface WebDyno {
  readonly app: AppId
  readonly id: DynoId
  /** Where it listens, `address:port`. */
  readonly address: string
}

/** The only web dyno of the tiny app. */
export async function oneWebDyno(bench: Bench): Promise<WebDyno> {
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)
  const { rows } = await bench.database.query<WebDyno>(
    `select app, id, host(address) || ':' || port as address from dynos where type = 'web' and state = 'up'`,
  )
  const [dyno] = rows
  if (!dyno) throw new Error('there is no web dyno')
  return dyno
}

/** `config` is told the port to listen on; `program` is followed by the path of the file. */
export async function startPeer(
  file: string,
  config: (port: number) => string,
  [program = '', ...args]: readonly string[],
): Promise<PeerProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-peer-'))
  const path = join(directory, file)
  const port = await freePort()
  writeFileSync(path, config(port))
  const proxy = spawn(program, [...args, path], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HOME: directory },
  })
  const ended = once(proxy, 'exit')
  await until('the peer listens', () => listens(port))
  return {
    pid: proxy.pid ?? 0,
    url: `http://tiny.localhost:${port}`,
    async stop() {
      proxy.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
