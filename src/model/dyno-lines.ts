/**
 * What the dyno manager says in an app's log, word for word as Heroku does
 * (heroku-semantics §1.3). Written once; the tests use the same words.
 */

import type { DynoState, StopReason } from './dyno.ts'
import type { Size } from './size.ts'

const MiB = 1024 ** 2

export const TERMINATING = 'Stopping all processes with SIGTERM'
export const KILLING_REMAINING = 'Stopping remaining processes with SIGKILL'
export const KILLING = 'Stopping process with SIGKILL'
export const PLATFORM_ERROR = 'Error R99 (Platform error)'
export const OUT_OF_MEMORY = 'Error R15 (Memory quota vastly exceeded)'

export function startingProcess(command: string): string {
  return `Starting process with command \`${command}\``
}

/** `stopping` has no name of its own in Heroku's words: it shows as what comes after. */
export function stateChanged(from: DynoState, to: DynoState): string {
  return `State changed from ${from} to ${to}`
}

export function processExited(status: number): string {
  return `Process exited with status ${status}`
}

export function bootTimeout(milliseconds: number): string {
  return `Error R10 (Boot timeout) -> Web process failed to bind to $PORT within ${seconds(milliseconds)} seconds of launch`
}

export function exitTimeout(milliseconds: number): string {
  return `Error R12 (Exit timeout) -> At least one process failed to exit within ${seconds(milliseconds)} seconds of SIGTERM`
}

/** `Process running mem=1028M(103.3%)`: `bytes` in use, of the size's quota. */
export function memoryInUse(bytes: number, size: Size): string {
  const share = ((100 * bytes) / size.memory).toFixed(1)
  return `Process running mem=${Math.round(bytes / MiB)}M(${share}%)`
}

/** The line that opens a replacement; a dyno that is only scaled away has none. */
export function replacing(because: StopReason): string[] {
  if (because === 'scale down') return []
  return [because === 'cycling' ? 'Cycling' : 'Restarting']
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000)
}
