/**
 * Docker as a peer: a daemon of our own for the length of a measurement, with everything it
 * keeps in a temporary directory. Only where Docker's package is installed.
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { until } from '../test/until.ts'
import { percentile } from './figure.ts'

const DAEMON = '/usr/sbin/dockerd'
const STARTS = 20
const run = promisify(execFile)

/** Milliseconds of `docker run -d`, p50; undefined where there is no Docker to be had. */
export async function dockerRun(rootfs: string): Promise<number | undefined> {
  if (!existsSync(DAEMON)) return undefined
  const top = mkdtempSync(join(tmpdir(), 'mayfly-docker-'))
  const host = `unix://${join(top, 'docker.sock')}`
  const docker = async (...args: string[]) =>
    (await run('docker', ['--host', host, ...args])).stdout.trim()
  const daemon = startDaemon(top, host)
  try {
    await until('dockerd answers', () =>
      docker('version').then(
        () => true,
        () => false,
      ),
    )
    const image = join(top, 'image.tar')
    await run('tar', ['--create', '--file', image, '--directory', rootfs, '.'])
    await docker('import', image, 'stack')
    return await medianOfRuns(docker)
  } finally {
    await daemon.end()
    rmSync(top, { recursive: true, force: true })
  }
}

async function medianOfRuns(
  docker: (...args: string[]) => Promise<string>,
): Promise<number> {
  const took: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const asked = performance.now()
    const id = await docker(
      'run',
      '--detach',
      '--network',
      'none',
      'stack',
      'sleep',
      '600',
    )
    took.push(performance.now() - asked)
    await docker('rm', '--force', id)
  }
  return percentile(took, 0.5)
}

function startDaemon(top: string, host: string) {
  const settings = {
    '--host': host,
    '--data-root': join(top, 'data'),
    '--exec-root': join(top, 'exec'),
    '--pidfile': join(top, 'pid'),
    '--bridge': 'none',
  }
  const args = [...Object.entries(settings).flat(), '--iptables=false']
  const daemon = spawn(DAEMON, args, { stdio: 'ignore' })
  const ended = once(daemon, 'exit')
  return {
    async end() {
      daemon.kill('SIGTERM')
      await ended
    },
  }
}
