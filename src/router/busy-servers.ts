/** Which servers have requests under way, in all of HAProxy's workers. */

import { pause, SECOND } from '../lib/clock.ts'
import { ask } from './haproxy-socket.ts'
import { parseBusyServers, parseOldWorkers } from './live-router.ts'
import type { RouterPaths } from './router-paths.ts'

const QUESTION = 'show servers conn'
/** How long a worker may take that ends. Milliseconds. */
const LAST_WORDS = SECOND
const POLL = 20
/** The beginning of every answer, and all of one that names no server. */
const NO_SERVERS = '# bkname/svname '

/**
 * Servers with their backends, also those of before a reload: their connections stay with the
 * worker that took them. Throws where a worker that is there does not say.
 */
export async function busyServers({
  adminSocket,
  masterSocket,
}: Pick<RouterPaths, 'adminSocket' | 'masterSocket'>): Promise<ReadonlySet<string>> {
  const present = await textFrom(adminSocket, QUESTION)
  if (present === undefined) return new Set()
  const busy = parseBusyServers(present)
  // One by one: a master takes ten connections at a time.
  for (const pid of await oldWorkers(masterSocket)) {
    busy.push(...parseBusyServers(await said(masterSocket, pid)))
  }
  return new Set(busy)
}

/** What an old worker answers. One that ends after its last request says nothing any more. */
async function said(masterSocket: string, pid: number): Promise<string> {
  const deadline = AbortSignal.timeout(LAST_WORDS)
  for (;;) {
    const text = (await textFrom(masterSocket, `@!${pid} ${QUESTION}`)) ?? ''
    if (text !== '' || deadline.aborted) return text
    if (!(await oldWorkers(masterSocket)).includes(pid)) return NO_SERVERS
    await pause(POLL)
  }
}

async function oldWorkers(masterSocket: string): Promise<readonly number[]> {
  return parseOldWorkers((await textFrom(masterSocket, 'show proc')) ?? '')
}

/** Undefined: no HAProxy runs. */
async function textFrom(path: string, command: string): Promise<string | undefined> {
  const answer = await ask(path, [command])
  if (answer.is === 'failed') throw answer.error
  return answer.is === 'absent' ? undefined : answer.text
}
