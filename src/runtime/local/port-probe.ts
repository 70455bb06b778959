/**
 * Whether a web dyno's port is bound where the router reaches it: by connecting, as Heroku
 * does. /proc/<pid>/net/tcp would tell without a connection, but the kernel walks every
 * socket of the machine for each reading of it: a millisecond and more, a hundred times a
 * second for each dyno that boots.
 */

import { writeFileSync } from 'node:fs'

import { acceptsConnections } from '../../lib/accepts-connections.ts'
import type { DynoFiles } from './dyno-files.ts'
import { recordOf } from './dyno-status.ts'

/** On one machine a refusal comes at once. */
const PATIENCE = 250

/** Looks, and leaves a mark once it is so: `status` goes by the mark. */
export async function noteIfListening(files: DynoFiles): Promise<boolean> {
  const record = recordOf(files)
  if (record?.port === undefined) return false
  const { address: host, port } = record
  if (!(await acceptsConnections({ host, port }, PATIENCE))) return false
  try {
    writeFileSync(files.listening, '')
    return true
  } catch (error) {
    // Removed meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
