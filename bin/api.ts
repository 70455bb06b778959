/** The Platform API, and the one port that everything comes in by. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { answer } from '../src/api/front-door/answer.ts'
import { openFrontDoor } from '../src/api/front-door/front-door.ts'
import { loginAttempts } from '../src/api/login-attempts.ts'
import { relayRendezvous } from '../src/api/front-door/relay-rendezvous.ts'
import { rateLimit } from '../src/api/rate-limit.ts'
import { resources } from '../src/api/resources.ts'
import { apiServer } from '../src/api/server.ts'
import { followLimits } from '../src/installation/follow-limits.ts'
import { followSettings } from '../src/installation/settings-file.ts'
import { systemClock } from '../src/lib/clock.ts'
import { hasDiskRoom } from '../src/lib/disk-room.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { patientDatabase } from '../src/store/patient-database.ts'
import { startPart } from './part.ts'
import { apiSettingsFile } from './settings-files.ts'
import { webhookReach } from './webhook-reach.ts'

const CONNECTIONS = 10

const part = startPart('api', CONNECTIONS)
const { data, installation, pool, log } = part

const following = { log, signal: part.signal }
const settings = followSettings(apiSettingsFile(data), following)
const secrets = secretBox(readFileSync(data.keys.configVars))
const api = await apiServer(
  {
    pool: patientDatabase(pool),
    secrets,
    webhooks: {
      secrets: secretBox(readFileSync(data.keys.webhooks)),
      reach: webhookReach(data, following),
    },
    clock: systemClock,
    data,
    installation,
    log,
    rateLimit: rateLimit(systemClock, settings),
    attempts: loginAttempts(systemClock),
    trustedProxies: () => settings().trustedProxies,
    ending: part.signal,
    hasDiskRoom: () => hasDiskRoom(data.sources),
    limits: followLimits(data.sizes, following),
  },
  resources,
)
const door = await openFrontDoor({
  port: installation.apiPort,
  key: readFileSync(data.keys.privateKey),
  certificate: readFileSync(data.keys.certificate),
  http: answer(data, (incoming, reply) => api.routing(incoming, reply), {
    log,
    trustedProxies: () => settings().trustedProxies,
  }),
  rendezvous: (socket) =>
    void relayRendezvous(socket, join(data.run('rendezvous'), 'tcp.sock'), log),
})
part.ready()

part.signal.addEventListener('abort', () => {
  void door
    .close()
    .then(() => pool.end())
    .finally(() => process.exit())
})
