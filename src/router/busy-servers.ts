/** Which servers have requests under way, in all of HAProxy's workers. */

import { ask } from './haproxy-socket.ts'
import { parseBusyServers } from './live-router.ts'
import { askOldWorkers } from './haproxy-master.ts'
import type { RouterPaths } from './router-paths.ts'

const QUESTION = ['show servers conn']

/**
 * Servers with their backends, also those of before a reload: their connections stay with the
 * worker that took them. Throws where a worker that is there does not say.
 */
export async function busyServers(
  paths: Pick<RouterPaths, 'adminSocket' | 'masterSocket'>,
): Promise<ReadonlySet<string>> {
  const present = await ask(paths.adminSocket, QUESTION)
  if (present.is === 'failed') throw present.error
  if (present.is === 'absent') return new Set()
  const answers = [present.text, ...(await askOldWorkers(paths, QUESTION))]
  return new Set(answers.flatMap(parseBusyServers))
}
