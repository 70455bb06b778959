/**
 * A dyno's log has a largest size. When it is reached, conmon opens `log.tmp`, renames it to
 * `log` and goes on there; whoever reads the old file may read it to its end. conmon would
 * make `log.tmp` for root only, but takes one that is there: so there always is one. What a
 * conmon faster than us has made is mended.
 */

import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  openSync,
  statSync,
} from 'node:fs'

import type { DynoFiles } from './dyno-files.ts'

const READABLE = 0o640
const { O_CREAT, O_WRONLY } = constants

/** Ensures the file, for the group `readers` (a gid) to read. */
export function ensureLog(file: string, readers: number | undefined): void {
  const log = openSync(file, O_WRONLY | O_CREAT, READABLE)
  try {
    // By descriptor: meanwhile conmon may have given it another name.
    fchmodSync(log, READABLE)
    if (readers !== undefined) fchownSync(log, 0, readers)
  } finally {
    closeSync(log)
  }
}

/** Sees to a dyno's log and to the one that is ready to follow it. */
export function mendLogs(files: DynoFiles, readers: number | undefined): void {
  const log = statSync(files.log, { throwIfNoEntry: false })
  if (!log) return // being removed
  if ((log.mode & 0o777) !== READABLE) ensureLog(files.log, readers)
  if (!existsSync(files.spareLog)) ensureLog(files.spareLog, readers)
}
