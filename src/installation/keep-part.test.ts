import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { until, untilSeen } from '../../test/until.ts'
import { acceptsConnections } from '../lib/accepts-connections.ts'
import { pause, SECOND, systemClock } from '../lib/clock.ts'
import { asUser } from './as-user.ts'
import { dataDirectory } from './data-directory.ts'
import { endParts } from './control-plane.ts'
import { keepPart, restartDelay, runningPart } from './keep-part.ts'
import { endProcess, groupsOfProcess, isAlive } from './living-process.ts'
import { boundLog, FILE_MOST_BYTES, LOG_MOST_BYTES, logOfBefore } from './part-log.ts'
import { type PartSpec, partsOf } from './parts.ts'
import { ensureUsers, GROUP, groupId, groupsOf } from './users.ts'

const top = mkdtempSync(join(tmpdir(), 'mayfly-keep-'))
chmodSync(top, 0o711)
const data = dataDirectory(top)
mkdirSync(data.run('supervisor'), { recursive: true })
mkdirSync(data.programLogs)
after(() => rmSync(top, { recursive: true }))

function aPart(name: string, command: readonly string[], needs?: string): PartSpec {
  return {
    name,
    command,
    environment: {},
    needs,
    ends: { signal: 'SIGTERM', patience: 10 * SECOND },
    endsWhole: true,
    outlivesUp: false,
    address: '',
    isReady: async () => true,
  }
}

/** The status of an answer to GET by this socket. */
function request(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ socketPath, agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    }).on('error', reject)
  })
}

test('a dead part is started again, at once and then ever later', () => {
  const delays = Array.from({ length: 10 }, (_, failures) => restartDelay(failures))
  assert.deepEqual(delays.slice(0, 5), [0, 500, 1000, 2000, 4000])
  assert.deepEqual(delays.slice(-2), [30 * SECOND, 30 * SECOND])
})

test('a part is restarted when it dies, and adopted by the next keeper', async () => {
  const part = aPart('sleeper', ['sleep', '1000'])
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const first = new AbortController()
  const keeper = keepPart(part, keeping, first.signal)
  const born = await untilSeen('it runs', () => runningPart(data, 'sleeper'))

  process.kill(born.pid, 'SIGKILL')
  const second = await untilSeen('another runs', () => {
    const now = runningPart(data, 'sleeper')
    return now?.pid === born.pid ? undefined : now
  })
  assert.equal(second.restarts, 1)
  assert.match(said.join(), /sleeper \(pid \d+\) ended; starting it again now/)

  first.abort()
  await keeper
  const next = new AbortController()
  const adopter = keepPart(part, keeping, next.signal)
  assert.equal(runningPart(data, 'sleeper')?.pid, second.pid)
  next.abort()
  await adopter
  await endProcess(second, part.ends)
})

test('a part that has bounds is in a cgroup of its own, which goes when it is ended', async () => {
  const bounds = {
    cgroup: `mayfly-${process.pid}/part.sleeper`,
    memory: 64 << 20,
    cpuShare: 1,
  }
  const unbounded = aPart('bounded', ['sh', '-c', 'sleep 1000; true'])
  const part = { ...unbounded, bounds }
  const keeping = { data, clock: systemClock, say: () => {} }
  const isHeld = (pid: number) => {
    const its = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
    return its.some((it) => it.endsWith(`:/${bounds.cgroup}`))
  }
  // One that an `up` of before left running had none.
  const before = new AbortController()
  const earlier = keepPart({ ...unbounded, outlivesUp: true }, keeping, before.signal)
  const adopted = await untilSeen('it runs', () => runningPart(data, 'bounded'))
  before.abort()
  await earlier
  const stop = new AbortController()
  const keeper = keepPart(part, keeping, stop.signal)
  await until('it is held', () => isHeld(adopted.pid))
  process.kill(adopted.pid, 'SIGKILL')
  const { pid } = await untilSeen('another runs', () => {
    const it = runningPart(data, 'bounded')
    return it?.pid === adopted.pid ? undefined : it
  })
  await until('it is held, too', () => isHeld(pid))

  stop.abort()
  await keeper
  await endParts([part], data)
  assert.equal(runningPart(data, 'bounded'), undefined)
  assert.deepEqual(globSync(`/sys/fs/cgroup/{,*/}mayfly-${process.pid}`), [])
})

test('one that an earlier version started in other groups is not adopted, but started anew', async () => {
  await ensureUsers()
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const [before, now] = [[GROUP], groupsOf('mayfly-git')].map((groups) => ({
    ...aPart('grouped', asUser('mayfly-git', groups as [string], ['sleep', '1000'])),
    groups,
  }))
  assert.ok(before && now)
  const first = new AbortController()
  const keeper = keepPart(before, keeping, first.signal)
  const born = await untilSeen('it runs', () => runningPart(data, 'grouped'))
  await until('it has its group', () => groupsOfProcess(born.pid).has(groupId(GROUP)))
  first.abort()
  await keeper

  const next = new AbortController()
  const adopter = keepPart(now, keeping, next.signal)
  const second = await untilSeen('another runs', () => {
    const it = runningPart(data, 'grouped')
    return it && it.pid !== born.pid ? it : undefined
  })
  assert.deepEqual(said, ['starting grouped anew, in groups of its own'])
  await until('it has its groups', () => groupsOfProcess(second.pid).size === 3)
  next.abort()
  await adopter
  const last = new AbortController()
  const again = keepPart(now, keeping, last.signal)
  await pause(300)
  assert.equal(runningPart(data, 'grouped')?.pid, second.pid)
  last.abort()
  await again
  await endProcess(second, now.ends)
})

test('one that an earlier version started for its schema is not adopted, but started anew', async () => {
  const part = aPart('versioned', ['sleep', '1000'])
  const of = (schema: string) => ({
    ...part,
    environment: { ...part.environment, MAYFLY_SCHEMA: schema },
  })
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const pids: number[] = []
  for (const [at, schema] of ['0001.sql', '0001.sql', '0002.sql'].entries()) {
    const stop = new AbortController()
    const keeper = keepPart(of(schema), keeping, stop.signal)
    const { pid } = await untilSeen('it runs', () => {
      const now = runningPart(data, 'versioned')
      return at === 2 && now?.pid === pids[0] ? undefined : now
    })
    pids.push(pid)
    stop.abort()
    await keeper
  }
  assert.equal(pids[1], pids[0])
  assert.notEqual(pids[2], pids[0])
  assert.deepEqual(said, ['starting versioned anew: it was of another version of Mayfly'])
  await endParts([of('0002.sql')], data)
  assert.equal(runningPart(data, 'versioned'), undefined)
})

test('a part that could not be written down is ended all the same', async () => {
  const environment = { MAYFLY_DATA: data.root, MAYFLY_PART: 'unwritten' }
  const part = { ...aPart('unwritten', ['sleep', '1000']), environment }
  const stop = new AbortController()
  const keeping = { data, clock: systemClock, say: () => {} }
  const keeper = keepPart(part, keeping, stop.signal)
  const it = await untilSeen('it runs', () => runningPart(data, 'unwritten'))
  stop.abort()
  await keeper
  rmSync(data.processFile('unwritten'))
  await endParts([part], data)
  assert.equal(isAlive(it), false)
})

test('a part that nobody wrote down is adopted, and not its child', async () => {
  const command = ['bash', '-c', 'sleep 1000 & wait']
  const environment = { MAYFLY_DATA: top, MAYFLY_PART: 'stray' }
  const part = { ...aPart('stray', command), environment }
  const stop = new AbortController()
  const keeping = { data, clock: systemClock, say: () => {} }
  const keeper = keepPart(part, keeping, stop.signal)
  const born = await untilSeen('it runs', () => runningPart(data, 'stray'))
  stop.abort()
  await keeper
  rmSync(data.processFile('stray'))

  const next = new AbortController()
  const adopter = keepPart(part, keeping, next.signal)
  assert.equal(
    (await untilSeen('it runs', () => runningPart(data, 'stray'))).pid,
    born.pid,
  )
  next.abort()
  await adopter
  process.kill(-born.pid, 'SIGKILL')
})

test('what a part prints is in its log, and a program that is not there is told of', async () => {
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const stop = new AbortController()
  const kept = [
    keepPart(aPart('talker', ['echo', 'hello']), keeping, stop.signal),
    keepPart(aPart('ghost', ['/no/such/program']), keeping, stop.signal),
  ]
  await until('ghost is told of', () => said.some((it) => it.startsWith('ghost')))
  await until('talker is told of', () => said.some((it) => it.startsWith('talker')))
  stop.abort()
  await Promise.all(kept)
  assert.match(readFileSync(data.logFile('talker'), 'utf8'), /^hello\n/)
})

test('a log is cut short while its part runs, and what it ended with is kept', async () => {
  const line = 'a line of a part that clients can have print'
  const program = `for n in $(seq 100); do yes '${line}' | head -c 3000000; sleep 0.02; done; sleep 1000`
  const part = aPart('printer', ['sh', '-c', program])
  const keeping = { data, clock: systemClock, say: () => {} }
  const stop = new AbortController()
  const keeper = keepPart(part, keeping, stop.signal)
  const file = data.logFile('printer')
  const before = await untilSeen('its log is cut', () =>
    existsSync(logOfBefore(file)) ? readFileSync(logOfBefore(file), 'utf8') : undefined,
  )
  assert.ok(before.length <= LOG_MOST_BYTES, `${before.length} bytes`)
  assert.ok(before.includes(line))
  const { pid } = await untilSeen('it runs', () => runningPart(data, 'printer'))
  const told = await untilSeen('it prints to the new one', () => {
    const text = readFileSync(file, 'utf8')
    return text !== '' && text.length <= LOG_MOST_BYTES ? text : undefined
  })
  assert.ok(!told.includes('\0'), 'it has a hole')

  stop.abort()
  await keeper
  process.kill(-pid, 'SIGKILL')
})

test('a router runs on, with no supervisor, whose clients have it print more than it may', async () => {
  const settings = { data, program: '/', databaseUrl: undefined }
  const regions = [{ name: 'us', subnet: '10.0.0.0/18', httpPort: 1, httpsPort: 1 }]
  const installation = { id: 'a1b2c3', apiPort: 1, domain: 'localhost', regions }
  const parts = partsOf({ ...settings, installation })
  const part = parts.find((it) => it.name === 'router-us')
  assert.ok(part?.needs !== undefined)
  const socket = join(data.router('us'), 'http.sock')
  mkdirSync(data.router('us'), { recursive: true })
  const lua = join(data.router('us'), 'prints.lua')
  writeFileSync(
    lua,
    `core.register_action('prints', { 'http-req' }, function() core.Alert(string.rep('a', 1000)) end, 0)`,
  )
  writeFileSync(
    part.needs,
    `global
  lua-load-per-thread ${lua}
defaults
  mode http
  timeout client 5s
frontend prints
  bind unix@${socket}
  http-request lua.prints
  http-request return status 204
`,
  )
  const keeping = { data, clock: systemClock, say: () => {} }
  const stop = new AbortController()
  const keeper = keepPart(part, keeping, stop.signal)
  const { pid } = await untilSeen('it runs', () => runningPart(data, part.name))
  const status = () => request(socket)
  // HAProxy's socket has its name before it listens.
  await until('it listens', () => acceptsConnections({ path: socket }, SECOND))
  assert.equal(await status(), 204)
  const file = data.logFile(part.name)
  assert.match(readFileSync(file, 'utf8'), /aaaa/)
  stop.abort()
  await keeper

  truncateSync(file, FILE_MOST_BYTES)
  assert.equal(await status(), 204)
  assert.equal(await status(), 204)
  assert.equal(statSync(file).size, FILE_MOST_BYTES)
  const next = new AbortController()
  const again = keepPart(part, keeping, next.signal)
  await until('its log is cut', () => statSync(file).size < LOG_MOST_BYTES)
  assert.equal(await status(), 204)
  assert.match(readFileSync(file, 'utf8'), /^\[.*aaaa/)
  assert.equal(runningPart(data, part.name)?.pid, pid)
  next.abort()
  await again
  await endParts([part], data)
})

test('of a log that is far too long when its part starts the end is kept', async () => {
  const file = data.logFile('long')
  writeFileSync(file, 'begins\n')
  truncateSync(file, 5 * LOG_MOST_BYTES)
  appendFileSync(file, 'ends\n')
  const keeping = { data, clock: systemClock, say: () => {} }
  const stop = new AbortController()
  const keeper = keepPart(aPart('long', ['sleep', '1000']), keeping, stop.signal)
  const { pid } = await untilSeen('it runs', () => runningPart(data, 'long'))
  assert.equal(statSync(file).size, 0)
  const before = readFileSync(logOfBefore(file), 'utf8')
  assert.equal(before.length, LOG_MOST_BYTES)
  assert.match(before, /ends\n$/)
  stop.abort()
  await keeper
  process.kill(pid, 'SIGKILL')
})

test('a log that cannot be kept is cut short all the same', async () => {
  const file = data.logFile('unkept')
  writeFileSync(file, '')
  truncateSync(file, LOG_MOST_BYTES + 1)
  mkdirSync(logOfBefore(file))
  const said: string[] = []
  boundLog(file, (it) => said.push(it))
  assert.equal(statSync(file).size, 0)
  assert.match(said.join(), /nothing of .*unkept\.log is kept, which is too long: EISDIR/)
})

test('a part is started anew when what it reads at its start has changed, by a later keeper too', async () => {
  const file = join(top, 'read-once')
  writeFileSync(file, 'one')
  const part = { ...aPart('reader', ['sleep', '1000'], file), startsAnewWith: file }
  const said: string[] = []
  const keeping = { data, clock: systemClock, say: (it: string) => said.push(it) }
  const first = new AbortController()
  const keeper = keepPart(part, keeping, first.signal)
  const born = await untilSeen('it runs', () => runningPart(data, 'reader'))
  writeFileSync(file, 'two')
  const second = await untilSeen('another runs', () => otherThan(born.pid))
  assert.match(said.join(), /starting reader anew, with its new configuration/)

  first.abort()
  await keeper
  writeFileSync(file, 'three')
  const next = new AbortController()
  const adopter = keepPart(part, keeping, next.signal)
  const third = await untilSeen('another runs', () => otherThan(second.pid))
  // And not again: it runs with what is there.
  await pause(300)
  assert.equal(runningPart(data, 'reader')?.pid, third.pid)
  next.abort()
  await adopter
  await endProcess(third, part.ends)

  function otherThan(pid: number) {
    const now = runningPart(data, 'reader')
    return now?.pid === pid ? undefined : now
  }
})

test('a part waits for the file it needs', async () => {
  const stop = new AbortController()
  const keeping = { data, clock: systemClock, say: () => {} }
  const file = join(top, 'config')
  const kept = keepPart(aPart('patient', ['sleep', '1000'], file), keeping, stop.signal)
  await pause(150)
  assert.equal(runningPart(data, 'patient'), undefined)
  mkdirSync(file)
  const started = await untilSeen('it runs', () => runningPart(data, 'patient'))
  stop.abort()
  await kept
  await endProcess(started, { signal: 'SIGKILL', patience: 0 })
})
