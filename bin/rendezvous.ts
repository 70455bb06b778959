/** Joins clients with the processes they were promised. It is all that holds their sessions. */

import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

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
// One that a killed predecessor left is replaced.
rmSync(path, { force: true })
server.listen(path)
await once(server, 'listening')
chmodSync(path, FOR_THE_GROUP)
part.ready()

await once(signal, 'abort')
// Its clients are gone with it; the next one says so.
process.exit()
