import { acm } from './resources/acm.ts'
import { account } from './resources/account.ts'
import { appMetrics } from './resources/app-metrics.ts'
import { appTransfers } from './resources/app-transfers.ts'
import { apps } from './resources/apps.ts'
import { authorizations } from './resources/authorizations.ts'
import { browserLogins } from './resources/browser-logins.ts'
import { builds } from './resources/builds.ts'
import { buildpackInstallations } from './resources/buildpack-installations.ts'
import { collaborators } from './resources/collaborators.ts'
import { configVars } from './resources/config-vars.ts'
import { domains } from './resources/domains.ts'
import { dynoEntries } from './resources/dyno-entries.ts'
import { dynoSizes } from './resources/dyno-sizes.ts'
import { dynos } from './resources/dynos.ts'
import { events } from './resources/events.ts'
import { execReservations } from './resources/exec-reservations.ts'
import { features } from './resources/features.ts'
import { formations } from './resources/formations.ts'
import { health } from './resources/health.ts'
import { logSessions } from './resources/log-sessions.ts'
import { loginPages } from './resources/login-pages.ts'
import { metrics } from './resources/metrics.ts'
import { monitors } from './resources/monitors.ts'
import { regions } from './resources/regions.ts'
import { releases } from './resources/releases.ts'
import { slugs } from './resources/slugs.ts'
import { sniEndpoints } from './resources/sni-endpoints.ts'
import { sources } from './resources/sources.ts'
import { stacks } from './resources/stacks.ts'
import { teamApps } from './resources/team-apps.ts'
import { teams } from './resources/teams.ts'
import { unbuilt } from './resources/unbuilt.ts'
import { webhookDeliveries } from './resources/webhook-deliveries.ts'
import { webhookEvents } from './resources/webhook-events.ts'
import { webhooks } from './resources/webhooks.ts'
import type { Resource } from './server.ts'

/** Everything the API answers. */
export const resources: readonly Resource[] = [
  account,
  acm,
  appMetrics,
  appTransfers,
  apps,
  authorizations,
  browserLogins,
  builds,
  buildpackInstallations,
  collaborators,
  configVars,
  domains,
  dynoEntries,
  dynoSizes,
  dynos,
  events,
  execReservations,
  features,
  formations,
  health,
  logSessions,
  loginPages,
  metrics,
  monitors,
  regions,
  releases,
  slugs,
  sniEndpoints,
  sources,
  stacks,
  teamApps,
  teams,
  unbuilt,
  webhookDeliveries,
  webhookEvents,
  webhooks,
]
