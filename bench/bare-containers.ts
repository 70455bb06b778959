/**
 * The peer of P2: conmon and crun by themselves, eight at a time. No network, no user
 * namespace, no slug, no limits, no database: the floor that nobody can go below.
 */

import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { pause } from '../src/lib/clock.ts'
import { newId } from '../src/model/ids.ts'
import { presentCgroups } from '../src/lib/cgroup-mounts.ts'
import { type DynoFiles, regionFiles } from '../src/runtime/local/dyno-files.ts'
import { callOf, ociRuntime } from '../src/runtime/local/oci-runtime.ts'
import { createContainer, letGo } from '../src/runtime/local/monitor.ts'

const AT_ONCE = 8
const run = promisify(execFile)

/** Containers a second. */
export async function startBareContainers(
  count: number,
  rootfs: string,
): Promise<number> {
  const top = mkdtempSync(join(tmpdir(), 'mayfly-bare-'))
  const region = regionFiles(top)
  const state = region.stateOf('crun')
  for (const directory of [region.exits, state]) mkdirSync(directory)
  // As Mayfly does: files deleted close by must not slow down either of the two.
  await run('chattr', ['+T', top, state]).catch(() => {})
  const { hybridMount } = presentCgroups()
  const all = Array.from({ length: count }, () => region.of(newId<'dyno'>()))
  const waiting = [...all]

  const start = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, startSome))
  const perSecond = (1000 * count) / (performance.now() - start)

  for (const files of all) await end(files)
  rmSync(top, { recursive: true, force: true })
  return perSecond

  async function startSome(): Promise<void> {
    for (let files = waiting.pop(); files; files = waiting.pop()) {
      mkdirSync(files.persist, { recursive: true })
      writeFileSync(files.config, JSON.stringify(configOf(rootfs)))
      const id = newId<'dyno'>()
      const { exits } = region
      const execFifo = join(state, id, 'exec.fifo')
      await createContainer({
        id,
        name: id,
        files,
        exits,
        runtime: callOf(ociRuntime('crun'), region),
        monitorProcs: [],
        hybridMount,
      })
      await letGo(execFifo)
      writeFileSync(join(files.directory, 'id'), id)
    }
  }

  async function end(files: DynoFiles): Promise<void> {
    const id = readFileSync(join(files.directory, 'id'), 'utf8')
    const monitor = Number(readFileSync(files.monitorPid, 'utf8'))
    process.kill(Number(readFileSync(files.pid, 'utf8')), 'SIGKILL')
    while (existsSync(`/proc/${monitor}/exe`)) await pause(5)
    const wrapper = hybridMount
      ? ['--mount', 'sh', '-c', 'umount "$0"; exec "$@"', hybridMount]
      : []
    const crun = ['crun', '--root', state, 'delete', '--force', id]
    await run(wrapper.length > 0 ? 'unshare' : 'env', [...wrapper, ...crun])
  }
}

function configOf(rootfs: string): object {
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, args: ['/bin/sleep', '600'], env: [], cwd: '/' },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      // Or crun would make its device nodes in the stack itself.
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] },
    ],
    linux: {
      cgroupsPath: `/mayfly-bare-${newId()}`,
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
    },
  }
}
