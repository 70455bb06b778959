/**
 * What each route below an app needs of who calls it. A route that is in no table needs
 * `view` to be read and `operate` to change something; its own `config.needs` goes before.
 */

import type { Permission } from './access.ts'

/** By what follows `/apps/:app/`, or the first word of it; the longer goes first. */
const toRead: Readonly<Record<string, Permission>> = {
  'config-vars': 'deploy',
  'releases/:release/config-vars': 'deploy',
}

const toWrite: Readonly<Record<string, Permission>> = {
  'build-cache': 'deploy',
  'buildpack-installations': 'deploy',
  builds: 'deploy',
  collaborators: 'manage',
  'config-vars': 'deploy',
  // A session is made to be read.
  'log-sessions': 'view',
  releases: 'deploy',
  sources: 'deploy',
}

/** By the first word after `/apps/:app/`: the method that has something run, with the config vars. */
const toRun: Readonly<Record<string, string>> = {
  'buildpack-installations': 'PUT',
  builds: 'POST',
  dynos: 'POST',
  exec: 'POST',
  releases: 'POST',
}

/** `url`: the route's pattern, as `/apps/:app/dynos/:dyno`. */
export function needOf(method: string, url: string): Permission {
  const below = belowApp(url)
  if (method === 'DELETE' && below === '') return 'manage'
  const [table, otherwise] = isRead(method)
    ? ([toRead, 'view'] as const)
    : ([toWrite, 'operate'] as const)
  return table[below] ?? table[firstWordOf(below)] ?? otherwise
}

export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Whether it shows secrets of an app, or runs what may read them. */
export function showsSecrets(method: string, url: string): boolean {
  const below = belowApp(url)
  if (below.split('/').includes('config-vars')) return true
  return toRun[firstWordOf(below)] === method && !below.includes('/actions/')
}

/** `dynos/:dyno`; empty for the app itself, and for what belongs to none. */
function belowApp(url: string): string {
  return /\/:app\/(.*)$/.exec(url)?.[1] ?? ''
}

function firstWordOf(below: string): string {
  return below.split('/')[0] ?? ''
}
