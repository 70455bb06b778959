/** The Platform API, and the one port that everything comes in by. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { answer } from '../src/api/front-door/answer.ts'
import { openFrontDoor } from '../src/api/front-door/front-door.ts'
import { loginAttempts } from '../src/api/login-attempts.ts'
import { relayRendezvous } from '../src/api/front-door/relay-rendezvous.ts'
import {
  type Allowance,
  allowanceIn,
  rateLimit,
  USUAL_ALLOWANCE,
} from '../src/api/rate-limit.ts'
import { resources } from '../src/api/resources.ts'
import { apiServer } from '../src/api/server.ts'
import { followLimits } from '../src/installation/follow-limits.ts'
import { SECOND, systemClock } from '../src/lib/clock.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { patientDatabase } from '../src/store/patient-database.ts'
import { startPart } from './part.ts'
import { webhookReach } from './webhook-reach.ts'

const CONNECTIONS = 10

const part = startPart('api', CONNECTIONS)
const { data, installation, pool, log } = part

let allowance = readAllowance()
setInterval(() => (allowance = readAllowance()), SECOND)
const secrets = secretBox(readFileSync(data.keys.configVars))
const api = await apiServer(
  {
    pool: patientDatabase(pool),
    secrets,
    webhooks: {
      secrets: secretBox(readFileSync(data.keys.webhooks)),
      reach: webhookReach(data, log),
    },
    clock: systemClock,
    data,
    installation,
    log,
    rateLimit: rateLimit(systemClock, () => allowance),
    attempts: loginAttempts(systemClock),
    ending: part.signal,
    limits: followLimits(data.sizes, { log, signal: part.signal }),
  },
  resources,
)
const door = await openFrontDoor({
  port: installation.apiPort,
  key: readFileSync(data.keys.privateKey),
  certificate: readFileSync(data.keys.certificate),
  http: answer(data, (incoming, reply) => api.routing(incoming, reply), log),
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

/** Whoever runs Mayfly may grant more, in `api.json`. */
function readAllowance(): Allowance {
  try {
    return allowanceIn(readFileSync(data.apiSettings, 'utf8'))
  } catch {
    return USUAL_ALLOWANCE
  }
}
