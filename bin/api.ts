/** The Platform API, and the one port that everything comes in by. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { answer } from '../src/api/front-door/answer.ts'
import { openFrontDoor } from '../src/api/front-door/front-door.ts'
import { loginAttempts } from '../src/api/login-attempts.ts'
import { relayRendezvous } from '../src/api/front-door/relay-rendezvous.ts'
import { allowanceIn, rateLimit } from '../src/api/rate-limit.ts'
import { resources } from '../src/api/resources.ts'
import { apiServer } from '../src/api/server.ts'
import { trustedProxiesIn } from '../src/api/trusted-proxies.ts'
import { followLimits } from '../src/installation/follow-limits.ts'
import { SECOND, systemClock } from '../src/lib/clock.ts'
import { secretBox } from '../src/lib/secret-box.ts'
import { patientDatabase } from '../src/store/patient-database.ts'
import { startPart } from './part.ts'
import { webhookReach } from './webhook-reach.ts'

const CONNECTIONS = 10

const part = startPart('api', CONNECTIONS)
const { data, installation, pool, log } = part

let settings = readSettings()
setInterval(() => (settings = readSettings()), SECOND)
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
    rateLimit: rateLimit(systemClock, () => settings.allowance),
    attempts: loginAttempts(systemClock),
    trustedProxies: () => settings.trustedProxies,
    ending: part.signal,
    limits: followLimits(data.sizes, { log, signal: part.signal }),
  },
  resources,
)
const door = await openFrontDoor({
  port: installation.apiPort,
  key: readFileSync(data.keys.privateKey),
  certificate: readFileSync(data.keys.certificate),
  http: answer(data, (incoming, reply) => api.routing(incoming, reply), {
    log,
    trustedProxies: () => settings.trustedProxies,
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

/** Whoever runs Mayfly may grant more, and say whom to believe, in `api.json`. */
function readSettings() {
  const text = settingsText()
  return { allowance: allowanceIn(text), trustedProxies: trustedProxiesIn(text) }
}

function settingsText(): string {
  try {
    return readFileSync(data.apiSettings, 'utf8')
  } catch {
    return ''
  }
}
