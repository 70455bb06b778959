/** One supervisor per data directory. Whoever holds the lock is found by it, too. */

import { linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'

import { SECOND } from '../lib/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import {
  endProcess,
  isAlive,
  type LivingProcess,
  processOf,
  readProcessFile,
} from './living-process.ts'
import { Refusal } from './refusal.ts'

/** Long enough for it to end every part, PostgreSQL's 30 s included. */
const PATIENCE = 60 * SECOND

/** The process that supervises, if one is alive. */
export function supervisorOf(data: DataDirectory): LivingProcess | undefined {
  const holder = readProcessFile(data.processFile('supervisor'))
  return holder && isAlive(holder) ? holder : undefined
}

/** Ended as by Ctrl-C: dynos and routers run on. */
export async function endSupervisor(data: DataDirectory): Promise<void> {
  const supervisor = supervisorOf(data)
  if (supervisor) await endProcess(supervisor, { signal: 'SIGTERM', patience: PATIENCE })
}

/** Takes the lock for this process until it is released or the process ends; throws a Refusal if another has it. */
export function lockSupervision(data: DataDirectory): { release(): void } {
  const file = data.processFile('supervisor')
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(processOf(process.pid)))
  try {
    while (!tryToLink(draft, file)) {
      const holder = readProcessFile(file)
      if (holder && isAlive(holder)) throw alreadyRunning(holder)
      takeAwayStale(file)
    }
  } finally {
    unlinkSync(draft)
  }
  return { release: () => unlinkSync(file) }
}

function tryToLink(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Another may have done so and locked in between: then its lock is put back. */
function takeAwayStale(file: string): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const taken = readProcessFile(aside)
  if (taken && isAlive(taken)) tryToLink(aside, file)
  unlinkSync(aside)
}

function alreadyRunning({ pid }: LivingProcess): Refusal {
  return new Refusal(`This installation is up already, supervised by process ${pid}.`)
}
