import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { pause, SECOND, systemClock } from '../lib/clock.ts'
import { asUser } from './as-user.ts'
import { dataDirectory } from './data-directory.ts'
import { keepPart, runningPart } from './keep-part.ts'
import { endProcess, parentOf } from './living-process.ts'
import { remainsIn } from './remains.ts'
import { strayPart, straysOf } from './strays.ts'
import { ensureUsers, GROUP } from './users.ts'

const top = mkdtempSync(join(tmpdir(), 'mayfly-strays-'))
chmodSync(top, 0o711)
const data = dataDirectory(join(top, 'data'))
const environment = { MAYFLY_DATA: data.root, MAYFLY_PART: 'postgres' }
const its = Object.entries(environment).map((it) => it.join('='))
const naps = ['sleep', '1000']
const spawned: ChildProcess[] = []

before(async () => {
  await ensureUsers()
  mkdirSync(data.run('supervisor'), { recursive: true })
  mkdirSync(data.programLogs)
})
after(() => {
  for (const child of spawned) child.kill('SIGKILL')
  rmSync(top, { recursive: true })
})

/** The pid of a process that has the part's environment, once it has it; `outer`: what runs it, which has not. */
async function started(command: readonly string[], outer: readonly string[] = []) {
  const [program = '', ...args] = [...outer, 'env', ...its, ...command]
  const child = spawn(program, args, { stdio: 'ignore' })
  spawned.push(child)
  for (;;) {
    const pid = newest(child.pid ?? 0)
    const says = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    // Whole: until then it is what makes it another user's.
    const runs = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    if (its.every((it) => says.includes(it)) && runs[0] === command.at(-2)) return pid
    await pause(20)
  }
}

/** `unshare --fork` has its command run by a child. */
function newest(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Number(children.split(' ')[0]) || pid
}

const strays = () => straysOf(data).map(({ pid }) => pid)
const part = (user?: string) => strayPart({ ...(user && { user }), environment })?.pid

test('what any user, a dyno or a container calls by the name of a part is none', async () => {
  const setuid = join(top, 'sleep')
  copyFileSync('/bin/sleep', setuid)
  chmodSync(setuid, 0o4755)
  const others = [
    await started(asUser('nobody', 'nogroup', naps)),
    // As a dyno, whose root is root of its own user namespace.
    await started(naps, ['unshare', '--user', '--map-root-user']),
    await started(naps, ['unshare', '--pid', '--fork', '--kill-child']),
    // Effectively root's, and anybody's to call; or root's altogether, as `sudo` makes itself.
    await started(asUser('nobody', 'nogroup', [setuid, '1000'])),
    await started([setuid, '1000']),
  ]
  assert.equal(part(), undefined)
  assert.equal(part('postgres'), undefined)
  assert.deepEqual(strays(), [])
  const remains = remainsIn(data.root).map(({ name }) => Number(name))
  assert.deepEqual(
    others.filter((pid) => remains.includes(pid)),
    [],
  )

  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const spec = {
    name: 'postgres',
    user: 'postgres',
    command: asUser('postgres', GROUP, naps),
    environment,
    needs: undefined,
    ends: { signal: 'SIGTERM' as const, patience: 10 * SECOND },
    endsWhole: true,
    outlivesUp: false,
    address: '',
    isReady: async () => true,
  }
  const stop = new AbortController()
  const keeper = keepPart(spec, keeping, stop.signal)
  const running = runningPart(data, 'postgres')
  assert.ok(running)
  assert.equal(parentOf(running.pid), process.pid)
  assert.ok(!others.includes(running.pid))
  stop.abort()
  await keeper
  await endProcess(running, spec.ends)
})

test('root and the user of a part start it, and no user of another part', async () => {
  const root = await started(naps)
  assert.equal(part(), root)
  assert.equal(part('postgres'), root)
  await killed(root)
  const postgres = await started(asUser('postgres', GROUP, naps))
  assert.equal(part('postgres'), postgres)
  assert.equal(part('mayfly-git'), undefined)
  assert.equal(part(), undefined)
  assert.deepEqual(strays(), [postgres])
  await killed(postgres)
  const git = await started(asUser('mayfly-git', GROUP, naps))
  assert.equal(part('postgres'), undefined)
  assert.deepEqual(strays(), [git])
  await killed(git)
})

test('what was begun as a user that the machine has not is root’s, or not there', async () => {
  assert.equal(part('mayfly-of-another-version'), undefined)
  const root = await started(naps)
  assert.equal(part('mayfly-of-another-version'), root)
  await killed(root)
})

async function killed(pid: number) {
  process.kill(pid, 'SIGKILL')
  while (strays().includes(pid)) await pause(20)
}
