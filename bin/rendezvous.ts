/**
 * Joins clients with the processes they were promised, and lets them into dynos by SSH. It is
 * all that holds their sessions.
 */

import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { listenOnSocket } from '../src/lib/listen-on-socket.ts'
import { EXEC_PORT, execAddress, type ExecDoor } from '../src/model/exec.ts'
import { hostKey } from '../src/rendezvous/exec-host-key.ts'
import { execServer } from '../src/rendezvous/exec-server.ts'
import { rendezvousServer } from '../src/rendezvous/rendezvous-server.ts'
import { patientDatabase } from '../src/store/patient-database.ts'
import { inTransaction } from '../src/store/queryable.ts'
import { detachAllClients } from '../src/store/rendezvous.ts'
import { startPart } from './part.ts'

const CONNECTIONS = 4
const FOR_THE_GROUP = 0o660

const part = startPart('rendezvous', CONNECTIONS)
const { data, log, signal } = part
const pool = patientDatabase(part.pool)

await inTransaction(pool, detachAllClients)
const dynos = (region: string) => data.dynos(region)
const server = rendezvousServer({ pool, dynos, log, signal })
const path = join(data.run('rendezvous'), 'tcp.sock')
mkdirSync(data.run('rendezvous'), { recursive: true })
await listenOnSocket(server, path, FOR_THE_GROUP)
await openExecDoor()
part.ready()

await once(signal, 'abort')
// Its clients are gone with it; the next one says so.
process.exit()

/** Where its address cannot be had everything else works, and who asks is told why. */
async function openExecDoor(): Promise<void> {
  const host = execAddress(part.installation.apiPort)
  const key = hostKey(data.execHostKey)
  const ssh = execServer(key.private, { pool, dynos, log })
  let door: ExecDoor = { host, publicKey: key.public }
  try {
    ssh.listen(EXEC_PORT, host)
    await once(ssh, 'listening')
  } catch (error) {
    log.error('dynos cannot be entered by SSH', error)
    const { code } = error as NodeJS.ErrnoException
    door = { failure: `Nobody can listen on ${host}:${EXEC_PORT} (${code}).` }
  }
  writeFileSync(data.execDoor, JSON.stringify(door))
}
