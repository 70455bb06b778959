/**
 * What the dyno manager says in an app's log, word for word as Heroku does
 * (its article "Heroku Error Codes", and logs of its apps). Written once; the tests use the same words.
 */

import { MiB } from '../lib/bytes.ts'
import type { DynoState, StopReason } from './dyno.ts'
import type { Size } from './size.ts'

export const TERMINATING = 'Stopping all processes with SIGTERM'
export const KILLING_REMAINING = 'Stopping remaining processes with SIGKILL'
export const KILLING = 'Stopping process with SIGKILL'
export const UNIDLING = 'Unidling'
export const HOST_LOST = 'Error R99 (Platform error) -> The dyno was lost with its host'
export const MONITOR_LOST =
  'Error R99 (Platform error) -> The dyno is watched over no more, for its monitor died'
export const HOST_OUT_OF_MEMORY =
  'Error R99 (Platform error) -> The machine ran out of memory, and the kernel ended the dyno'
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
  if (because === 'idling') return ['Idling']
  return [because === 'cycling' ? 'Cycling' : 'Restarting']
}

/* What Heroku has no line for. */

/** `Error R99 (Platform error) -> Failed to launch the dyno within 120 seconds`. */
export function notLaunched(milliseconds: number): string {
  return `Error R99 (Platform error) -> Failed to launch the dyno within ${seconds(milliseconds)} seconds`
}

/** `reason`: which checksum was expected and found, or that there is no slug. */
export function checksumError(reason: string): string {
  return `Error R17 (Checksum error) -> ${reason}`
}

export function neverHealthy(path: string, milliseconds: number, fault: string): string {
  return `Error R10 (Boot timeout) -> Web process failed its health check at ${path} for ${seconds(milliseconds)} seconds after launch: ${fault}`
}

export function unhealthy(path: string, failures: number, fault: string): string {
  return `Health check at ${path} failed ${failures} times in a row: ${fault}`
}

/** `Restarting in 2 minutes (crash 5 in a row; next attempt at 2026-01-01T00:02:00Z)`. */
export function nextAttempt(it: {
  readonly wait: number
  readonly crashes: number
  readonly at: Date
}): string {
  const at = `${it.at.toISOString().slice(0, 19)}Z`
  return `Restarting in ${inWords(it.wait)} (crash ${it.crashes} in a row; next attempt at ${at})`
}

/** Of `heroku ps:exec` and `run:inside`. */
export function tooManyInside(place: string): string {
  return `No more processes are started inside ${place} until one of those that were has ended`
}

/** Of the same, where the region's OCI runtime is krun. */
export function notEnterable(place: string): string {
  return `Nothing is started inside ${place}: it is a virtual machine of krun's, which cannot be entered`
}

function inWords(milliseconds: number): string {
  if (milliseconds < 90_000) return `${seconds(milliseconds)} seconds`
  return `${Math.round(milliseconds / 60_000)} minutes`
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000)
}
