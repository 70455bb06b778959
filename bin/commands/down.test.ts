/** `down` of an installation that a service of systemd's keeps up; systemd itself is acted here. */

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { until } from '../../test/until.ts'
import { bootService } from '../../src/installation/boot-service.ts'
import { dataDirectory } from '../../src/installation/data-directory.ts'
import { supervisorOf } from '../../src/installation/supervisor-lock.ts'
import { hierarchy, presentCgroups } from '../../src/lib/cgroup-mounts.ts'

const program = join(import.meta.dirname, '..', 'mayfly.ts')
const lock = join(import.meta.dirname, '../../src/installation/supervisor-lock.ts')
const directories = join(import.meta.dirname, '../../src/installation/data-directory.ts')

/**
 * An installation, and a machine that systemd runs, of which the service is all there is: what
 * supervises is begun anew whenever it ends, until `systemctl` is told otherwise.
 */
function aMachine(t: TestContext, id: string) {
  const top = mkdtempSync(join(tmpdir(), 'mayfly-down-'))
  const data = dataDirectory(join(top, 'data'))
  mkdirSync(data.run('supervisor'), { recursive: true })
  const decided = { id, apiPort: 1, domain: 'localhost', regions: [] }
  writeFileSync(data.installation, JSON.stringify({ ...decided, database: 'elsewhere' }))
  const service = bootService(data, { id })
  const at = (name: string) => join(top, name)
  mkdirSync(at('bin'))
  mkdirSync(at('units'))
  mkdirSync(at('run/systemd/system'), { recursive: true })
  writeFileSync(join(at('units'), service.name), '')
  writeFileSync(
    at('bin/systemctl'),
    `#!/bin/sh
echo "$*" >>${top}/told
case $1 in
  show) if [ -e ${top}/stopped ]; then echo ActiveState=inactive; else echo ActiveState=activating; fi ;;
  stop|disable)
    [ -e ${top}/main ] || exit 0
    if kill -0 $(cat ${top}/part); then echo 'before what it began'; fi >>${top}/told
    touch ${top}/stopped
    it=$(cat ${top}/main)
    kill $it
    while kill -0 $it; do sleep 0.02; done 2>/dev/null ;;
esac
`,
  )
  chmodSync(at('bin/systemctl'), 0o755)
  const supervisor = `
    import { dataDirectory } from '${directories}'
    import { lockSupervision } from '${lock}'
    lockSupervision(dataDirectory('${data.root}'))
    setInterval(() => {}, 1000)`
  let systemd: ChildProcess | undefined
  t.after(async () => {
    if (systemd?.exitCode === null) {
      writeFileSync(at('stopped'), '')
      process.kill(Number(readFileSync(at('main'), 'utf8')))
      await once(systemd, 'exit')
    }
    rmSync(top, { recursive: true })
  })

  return {
    data,
    service,
    unit: join(at('units'), service.name),
    /** What systemctl was. */
    told: () =>
      existsSync(at('told')) ? readFileSync(at('told'), 'utf8').trim().split('\n') : [],
    /** Resolves once the service has begun. The process ends when it is not begun anew any more. */
    served: async (): Promise<ChildProcess> => {
      const loop = `while [ ! -e ${top}/stopped ]
        do "$@" & echo $! >${top}/main; wait $!; sleep 0.1; done`
      const node = [process.execPath, '--input-type=module', '--eval', supervisor]
      systemd = spawn('sh', ['-c', loop, 'sh', ...node], { stdio: 'ignore' })
      await until('it supervises', () => supervisorOf(data) !== undefined)
      return systemd
    },
    /** What it began, and left running when it was killed. */
    left: () => {
      const env = { ...process.env, MAYFLY_DATA: data.root }
      const part = spawn('sleep', ['1000'], { env, stdio: 'ignore' })
      t.after(() => part.kill('SIGKILL'))
      writeFileSync(at('part'), String(part.pid))
    },
    rests: () => writeFileSync(at('stopped'), ''),
    /** `first`: lines of a shell, before. */
    down: async (args: readonly string[] = [], first = '') => {
      const enter = `mount --bind ${top}/units /etc/systemd/system
        mount --bind ${top}/run /run
        ${first}
        exec "$@"`
      const mayfly = [process.execPath, program, 'down', '--data', data.root, ...args]
      const inside = ['--mount', 'sh', '-ec', enter, 'sh', ...mayfly]
      const env = { ...process.env, PATH: `${top}/bin:${process.env['PATH']}` }
      return new Promise<{ stdout: string; stderr: string }>((resolve) => {
        execFile('unshare', inside, { env }, (_, stdout, stderr) =>
          resolve({ stdout, stderr }),
        )
      })
    },
  }
}

test('a service that is begun again and again is stopped, and does not come back', async (t) => {
  const { data, service, served, left, told, down } = aMachine(t, 'd0d0d1')
  const systemd = await served()
  left()
  assert.deepEqual(await down(), { stdout: '', stderr: '' })
  assert.deepEqual(told().slice(1), [`stop ${service.name}`, 'before what it began'])
  if (systemd.exitCode === null) await once(systemd, 'exit')
  assert.equal(supervisorOf(data), undefined)
})

test('with --destroy it is removed before anything ends', async (t) => {
  const { data, service, served, left, told, down, unit } = aMachine(t, 'd0d0d2')
  const systemd = await served()
  left()
  assert.deepEqual(await down(['--destroy']), { stdout: '', stderr: '' })
  assert.deepEqual(told(), [
    `disable --quiet --now ${service.name}`,
    'before what it began',
    'daemon-reload',
  ])
  assert.deepEqual([unit, data.root].filter(existsSync), [])
  if (systemd.exitCode === null) await once(systemd, 'exit')
})

test('one that is at rest is left alone', async (t) => {
  const { service, rests, told, down, data } = aMachine(t, 'd0d0d3')
  rests()
  const { stdout, stderr } = await down()
  assert.deepEqual([stdout, stderr], [`Nothing of ${data.root} was running.\n`, ''])
  const asked = `show --property=ActiveState --property=NRestarts ${service.name}`
  assert.deepEqual(told(), [asked])
})

test('a `down` that the service itself runs does not wait for its end', async (t) => {
  const { service, told, down } = aMachine(t, 'd0d0d4')
  const cgroup = join(hierarchy(presentCgroups(), 'memory'), service.name)
  mkdirSync(cgroup)
  t.after(() => rmdirSync(cgroup))
  const { stderr } = await down([], `echo $$ >${cgroup}/cgroup.procs`)
  assert.deepEqual([stderr, told()], ['', []])
})

test('where systemd does not run the machine, it is not asked to stop anything', async (t) => {
  const { service, unit, data, told, down } = aMachine(t, 'd0d0d5')
  const { stderr } = await down([], 'rmdir /run/systemd/system')
  assert.deepEqual([stderr, told()], ['', []])
  const destroyed = await down(['--destroy'])
  assert.deepEqual([destroyed.stderr, told()], ['', [`disable --quiet ${service.name}`]])
  assert.deepEqual([unit, data.root].filter(existsSync), [])
})
