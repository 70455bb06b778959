import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Account as ApiAccount } from '@heroku-cli/schema'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'

import { hashOfNew, mustBePassword, setPassword } from '../../actions/set-password.ts'
import { Problem } from '../../model/problem.ts'
import {
  type AccountDetails,
  accountDetails,
  renameAccount,
} from '../../store/accounts.ts'
import { hasPassword } from '../../store/passwords.ts'
import { inTransaction } from '../../store/queryable.ts'
import { codeIn, mustBeIn } from '../authenticate.ts'
import type { ApiDeps } from '../deps.ts'
import { isStillGood, logIn } from '../log-in.ts'

const Change = Type.Object({
  name: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Null()])),
  /** The one there is. */
  password: Type.Optional(Type.String()),
  new_password: Type.Optional(Type.String()),
})

export const account: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, rateLimit } = deps
  for (const url of ['/account', '/users/~']) {
    server.get(url, async (request) =>
      serializeAccount(await accountDetails(pool, request.account.id)),
    )

    server.patch(url, { schema: { body: Change } }, async (request) => {
      const { account: its, body } = request
      const { name, new_password: wanted } = body
      const hash = wanted === undefined ? undefined : await hashOf(wanted, request, body)
      await inTransaction(pool, async (tx) => {
        if (hash !== undefined) {
          // It may have been given another, or lost it for good, while the hashes were made.
          if (!request.logIn || !(await isStillGood(tx, request.logIn))) throw isAnother()
          await setPassword(tx, its, hash)
        }
        if (name !== undefined) await renameAccount(tx, its.id, name)
      })
      return serializeAccount(await accountDetails(pool, its.id))
    })
  }

  server.get('/account/rate-limits', { config: { free: true } }, async (request) => ({
    remaining: rateLimit.left(request),
  }))

  // SSH keys: git is spoken over HTTPS only.
  server.get('/account/keys', async () => [])

  async function hashOf(
    wanted: string,
    request: FastifyRequest,
    body: Static<typeof Change>,
  ): Promise<string> {
    // First: a code is not used up for nothing.
    mustBePassword(request.account, wanted)
    await mustKnowPassword(request, body)
    return hashOfNew(request.account, wanted)
  }

  /** A password that a stolen token could set would not be among the tokens that its owner sees. */
  async function mustKnowPassword(
    request: FastifyRequest,
    { password }: Static<typeof Change>,
  ): Promise<void> {
    const { account: its, client: address } = request
    if (!(await hasPassword(pool, its.id))) {
      throw new Problem(
        'invalid_params',
        `The account has no password yet. Whoever runs Mayfly gives it one: ./mayfly account:password ${its.email}`,
      )
    }
    if (password === undefined) {
      throw new Problem('invalid_params', 'The current password is required: password.')
    }
    const code = codeIn(request)
    const came = await logIn(deps, { email: its.email, password, code, address })
    request.logIn = came
    if (came.outcome === 'wrong password') throw isAnother()
    mustBeIn(came)
  }
}

function isAnother(): Problem {
  return new Problem('invalid_params', 'The current password is another.')
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
    mfa_enabled: it.twoFactor,
    mfa_exemption: false,
    mfa_exemption_reason: null,
    mfa_experience: 'legacy',
    name: it.name,
    pipeline_cost_consent_at: null,
    sms_number: null,
    suspended_at: null,
    two_factor_authentication: it.twoFactor,
    updated_at: it.updatedAt.toISOString(),
    verified: true,
  }
}
