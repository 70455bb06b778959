import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Account as ApiAccount } from '@heroku-cli/schema'

import { type AccountDetails, accountDetails } from '../../store/accounts.ts'
import type { Deps } from '../deps.ts'

export const account: FastifyPluginAsyncTypebox<Deps> = async (
  server,
  { pool, rateLimit },
) => {
  for (const url of ['/account', '/users/~']) {
    server.get(url, async (request) =>
      serializeAccount(await accountDetails(pool, request.account.id)),
    )
  }

  server.get('/account/rate-limits', { config: { free: true } }, async (request) => ({
    remaining: rateLimit.left(request.account.id),
  }))

  // SSH keys: git is spoken over HTTPS only.
  server.get('/account/keys', async () => [])
}

function serializeAccount(it: AccountDetails): ApiAccount {
  return {
    acknowledged_msa: false,
    acknowledged_msa_at: null,
    allow_tracking: false,
    beta: false,
    country_of_residence: null,
    created_at: it.createdAt.toISOString(),
    default_organization: null,
    default_team: null,
    delinquent_at: null,
    eco_dynos_enabled: false,
    eco_dynos_shutdown_at: null,
    email: it.email,
    federated: false,
    id: it.id,
    identity_provider: null,
    italian_customer_terms: null,
    italian_partner_terms: null,
    last_login: null,
    mfa_enabled: false,
    mfa_exemption: false,
    mfa_exemption_reason: null,
    mfa_experience: 'legacy',
    name: it.name,
    pipeline_cost_consent_at: null,
    sms_number: null,
    suspended_at: null,
    two_factor_authentication: false,
    updated_at: it.updatedAt.toISOString(),
    verified: true,
  }
}
