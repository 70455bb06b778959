/**
 * Keeps one part running: adopts it where it runs, starts it where not, and again when it
 * died or is to read its configuration anew. A part lives in a session of its own and owes
 * its supervisor nothing, so either may die without the other noticing more than that.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

import { type Clock, pause, SECOND } from '../lib/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import {
  endProcess,
  groupsOfProcess,
  isAlive,
  type LivingProcess,
  processOf,
  readProcessFile,
  writeProcessFile,
} from './living-process.ts'
import { ensurePartCgroup, enterPartCgroup } from './part-cgroup.ts'
import { boundLog, openLog } from './part-log.ts'
import type { PartSpec } from './parts.ts'
import { letPartsRead } from './settings-file.ts'
import { environmentOf, strayPart } from './strays.ts'
import { groupId } from './users.ts'

const POLL = 100
/** Who has run so long did not fail to start: should it die, it is started again at once. */
const LONG_ENOUGH = 10 * SECOND
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface Keeping {
  readonly data: DataDirectory
  readonly clock: Clock
  /** Told what a person should know. */
  readonly say: (sentence: string) => void
}

/** What a part's process file says beside which process it is. */
export interface PartRecord extends LivingProcess {
  readonly since: string
  readonly restarts: number
  /** What the file said that it started with, as a digest. */
  readonly startedWith?: string | undefined
}

/**
 * Resolves after the signal aborts; the part then still runs. It never rejects: whatever goes wrong,
 * such as a full disk, is said and tried again, or the other parts would have no keeper either.
 */
export async function keepPart(
  part: PartSpec,
  keeping: Keeping,
  signal: AbortSignal,
): Promise<void> {
  const { data, clock, say } = keeping
  let failures = 0
  while (!signal.aborted) {
    try {
      const ended = await keepUntilItEnds(part, keeping, signal)
      if (!ended) continue
      const ran = clock.now().getTime() - Date.parse(ended.since)
      if (ran > LONG_ENOUGH) failures = 0
      say(
        `${part.name} (pid ${ended.pid}) ended; starting it again ${whenOf(failures)}. See ${data.logFile(part.name)}`,
      )
    } catch (error) {
      // It may run all the same, and is then found by what it was started with.
      const why = error instanceof Error ? error.message : String(error)
      say(`${part.name} can't be looked after: ${why}; trying again ${whenOf(failures)}`)
    }
    await pause(restartDelay(failures++), signal)
  }
}

/** Undefined where it is not to be waited with: nothing ended by itself. */
async function keepUntilItEnds(
  part: PartSpec,
  keeping: Keeping,
  signal: AbortSignal,
): Promise<PartRecord | undefined> {
  if (part.needs !== undefined && !existsSync(part.needs)) {
    await pause(POLL, signal)
    return undefined
  }
  const adopted = runningPart(keeping.data, part.name) ?? adoptStray(part, keeping)
  if (adopted && !hasGroups(adopted, part)) {
    keeping.say(`starting ${part.name} anew, in groups of its own`)
    await endProcess(adopted, part.ends)
    return undefined
  }
  if (adopted && !isOfThisSchema(adopted, part)) {
    keeping.say(`starting ${part.name} anew: it was of another version of Mayfly`)
    await endProcess(adopted, part.ends)
    return undefined
  }
  // By an `up` of before it may have been started without.
  if (adopted && part.bounds) {
    ensurePartCgroup(part.bounds)
    enterPartCgroup(adopted.pid, part.bounds)
  }
  const running = adopted ?? startPart(part, keeping)
  const end = await endOf(part, running, { ...keeping, signal })
  if (end === 'gone') return running
  if (end === 'outdated') {
    keeping.say(`starting ${part.name} anew, with its new configuration`)
    await endProcess(running, part.ends)
  }
  return undefined
}

function whenOf(failures: number): string {
  const wait = restartDelay(failures)
  return wait === 0 ? 'now' : `in ${wait / SECOND} s`
}

/** Milliseconds before the next start: at once after the first end, then longer, up to 30 s. */
export function restartDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(30 * SECOND, 500 * 2 ** (failures - 1))
}

/** The part's process, if it is alive. */
export function runningPart(data: DataDirectory, name: string): PartRecord | undefined {
  const record = lastRecord(data, name)
  return record && isAlive(record) ? record : undefined
}

function lastRecord(data: DataDirectory, name: string): PartRecord | undefined {
  const file = data.processFile(name)
  if (!readProcessFile(file)) return undefined
  return JSON.parse(readFileSync(file, 'utf8')) as PartRecord
}

/** One whose supervisor died before it could write that down, or had a full disk. */
function adoptStray(part: PartSpec, keeping: Keeping): PartRecord | undefined {
  const stray = strayPart(part)
  // Its configuration can hardly have changed since: it lies on the same disk.
  const startedWith = digestOf(part.startsAnewWith)
  return stray && writeRecord(part, keeping, { ...stray, startedWith })
}

function hasGroups({ pid }: PartRecord, { groups }: PartSpec): boolean {
  if (groups === undefined) return true
  return isDeepStrictEqual(groupsOfProcess(pid), new Set(groups.map(groupId)))
}

/** One that an `up` of before left running asks for what the schema has no more, or would not fill what it has now. */
function isOfThisSchema({ pid }: PartRecord, { environment }: PartSpec): boolean {
  const { MAYFLY_SCHEMA } = environment
  if (MAYFLY_SCHEMA === undefined) return true
  return environmentOf(pid).includes(`MAYFLY_SCHEMA=${MAYFLY_SCHEMA}`)
}

function startPart(part: PartSpec, keeping: Keeping): PartRecord {
  const { data, say } = keeping
  const [program = '', ...args] = part.command
  const startedWith = digestOf(part.startsAnewWith)
  if (part.bounds) ensurePartCgroup(part.bounds)
  for (const it of part.reads ?? []) letPartsRead(it)
  const log = openLog(data.logFile(part.name), say)
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH, LANG: 'C.UTF-8', ...part.environment },
  })
  closeSync(log)
  // A program that can't be started has no pid, and counts as one that ended at once.
  child.on('error', () => {})
  child.unref()

  const pid = child.pid ?? 0
  // At once: it has started nothing yet.
  if (part.bounds && pid > 0) enterPartCgroup(pid, part.bounds)
  const it = processOf(pid) ?? { pid, startTicks: 0 }
  return writeRecord(part, keeping, { ...it, startedWith })
}

function writeRecord(
  part: PartSpec,
  { data, clock }: Keeping,
  it: LivingProcess & Pick<PartRecord, 'startedWith'>,
): PartRecord {
  const before = lastRecord(data, part.name)
  const record: PartRecord = {
    ...it,
    since: clock.now().toISOString(),
    restarts: before ? before.restarts + 1 : 0,
  }
  writeProcessFile(data.processFile(part.name), record)
  return record
}

async function endOf(
  { name, startsAnewWith }: PartSpec,
  it: PartRecord,
  { data, say, signal }: Keeping & { readonly signal: AbortSignal },
): Promise<'gone' | 'outdated' | 'aborted'> {
  while (!signal.aborted) {
    if (!isAlive(it)) return 'gone'
    boundLog(data.logFile(name), say)
    const present = digestOf(startsAnewWith)
    if (present !== undefined && present !== it.startedWith) return 'outdated'
    await pause(POLL, signal)
  }
  return 'aborted'
}

/** Undefined: there is no such file. */
function digestOf(file: string | undefined): string | undefined {
  if (file === undefined || !existsSync(file)) return undefined
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
