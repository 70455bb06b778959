import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { changeMembers } from '../../actions/change-members.ts'
import { createTeam } from '../../actions/create-team.ts'
import { removeTeam } from '../../actions/remove-team.ts'
import { PERMISSIONS, TEAM_ROLES, type TeamRole } from '../../model/access.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import { appsSeenBy } from '../../store/apps.ts'
import { inTransaction } from '../../store/queryable.ts'
import { standingIn } from '../../store/standings.ts'
import {
  findTeam,
  membersOf,
  type Team,
  type TeamMember,
  teamsOf,
} from '../../store/teams.ts'
import { requireTeamStanding } from '../authorize.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requirePerson } from '../require-person.ts'
import { serializePermission } from '../serialize-permission.ts'
import { serializeApp } from './apps.ts'

const TeamParams = Type.Object({ team: Type.String() })
const MemberParams = Type.Object({ team: Type.String(), member: Type.String() })
const Creation = Type.Object({ name: Type.String() })
const Membership = Type.Object({
  email: Type.String({ minLength: 1 }),
  role: Type.Enum([...TEAM_ROLES]),
})

/** The CLI asks for permissions where a team has it, and here all have them. */
const FEATURE = 'org-access-controls'

export const teams: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, installation, limits } = deps

  server.get('/teams', async (request, reply) => {
    const all = await teamsOf(pool, request.account.id)
    return sendPart(
      reply,
      all.map((it) => serializeTeam(it, it.role)),
      { properties: ['name', 'id'] },
    )
  })

  server.post('/teams', { schema: { body: Creation } }, async (request, reply) => {
    const { name } = request.body
    const wish = { name, admin: request.account }
    const team = await inTransaction(pool, (tx) => createTeam(tx, wish, limits()))
    return reply.status(201).send(serializeTeam(team, 'admin'))
  })

  server.get('/teams/permissions', async () => PERMISSIONS.map(serializePermission))

  server.get('/teams/:team', { schema: { params: TeamParams } }, async (request) => {
    const team = await requireTeam(request.params.team)
    const standing = await standingIn(pool, request.account.id, team.id)
    return serializeTeam(team, standing?.role ?? null)
  })

  server.delete(
    '/teams/:team',
    { schema: { params: TeamParams } },
    async ({ params }) => {
      const team = await requireTeam(params.team)
      await inTransaction(pool, (tx) => removeTeam(tx, team.id))
      return serializeTeam(team, 'admin')
    },
  )

  server.get('/teams/:team/features', { schema: { params: TeamParams } }, async () => [
    serializeFeature(),
  ])

  server.get(
    '/teams/:team/apps',
    { schema: { params: TeamParams } },
    async (request, reply) => {
      const team = await requireTeam(request.params.team)
      const all = await appsSeenBy(pool, request.account.id, team.id)
      const shown = all.map((it) => serializeApp(it, installation))
      return sendPart(reply, shown, { properties: ['name', 'id', 'updated_at'] })
    },
  )

  server.get(
    '/teams/:team/members',
    { schema: { params: TeamParams } },
    async (request, reply) => {
      const team = await requireTeam(request.params.team)
      const all = await membersOf(pool, team.id)
      const shown = all.map((it) => serializeMember(it, team))
      return sendPart(reply, shown, { properties: ['email', 'id'] })
    },
  )

  server.route({
    method: ['PUT', 'POST', 'PATCH'],
    url: '/teams/:team/members',
    schema: { params: TeamParams, body: Membership },
    handler: async ({ account: by, params, body, method }, reply) => {
      const team = await requireTeam(params.team)
      const account = await requirePerson(deps, by, body.email)
      const before = await memberOf(team, account.id)
      if (method === 'PATCH' && !before) throw notFound()
      const { role } = body
      await inTransaction(pool, (tx) =>
        changeMembers(tx, team.id, { account: account.id, role, by: by.id }),
      )
      const member = await memberOf(team, account.id)
      if (!member) throw notFound()
      return reply.status(before ? 200 : 201).send(serializeMember(member, team))
    },
  })

  server.delete(
    '/teams/:team/members/:member',
    { schema: { params: MemberParams }, config: { needs: 'view' } },
    async ({ account: by, params }) => {
      const team = await requireTeam(params.team)
      const member = await memberOf(team, params.member)
      // Everybody may leave: one is put into a team without being asked.
      if (member?.account.id !== by.id) {
        await requireTeamStanding(pool, by, team.id, 'manage')
      }
      if (!member) throw notFound()
      const leaving = { account: member.account.id, role: undefined, by: by.id }
      await inTransaction(pool, (tx) => changeMembers(tx, team.id, leaving))
      return serializeMember(member, team)
    },
  )

  async function requireTeam(identity: string): Promise<Team> {
    const team = await findTeam(pool, identity)
    if (!team) throw new Problem('not_found', `Couldn't find that team.`)
    return team
  }

  /** By the membership's own id, or the account's id or address. */
  async function memberOf(team: Team, identity: string): Promise<TeamMember | undefined> {
    const wanted = identity.toLowerCase()
    return (await membersOf(pool, team.id)).find(({ account }) =>
      [account.id, account.email, memberId(team, account.id)].includes(wanted),
    )
  }
}

function notFound(): Problem {
  return new Problem('not_found', `Couldn't find that team member.`)
}

function memberId(team: Team, account: string): string {
  return namedId('team member', `${team.id} ${account}`)
}

function serializeTeam(it: Team, role: TeamRole | null) {
  return {
    created_at: it.createdAt.toISOString(),
    credit_card_collections: false,
    default: false,
    enterprise_account: null,
    id: it.id as string,
    identity_provider: null,
    membership_limit: null,
    name: it.name,
    pipeline_cost_consent_at: null,
    pipeline_cost_consent_user_email: null,
    provisioned_licenses: false,
    role,
    type: 'team',
    updated_at: it.updatedAt.toISOString(),
  }
}

function serializeMember(it: TeamMember, team: Team) {
  const { id, email, name } = it.account
  return {
    created_at: it.createdAt.toISOString(),
    email,
    federated: false,
    id: memberId(team, id),
    identity_provider: null,
    role: it.role,
    two_factor_authentication: false,
    updated_at: it.updatedAt.toISOString(),
    user: { email, id: id as string, name },
  }
}

function serializeFeature() {
  const always = '2026-01-01T00:00:00.000Z'
  return {
    created_at: always,
    description: 'Permissions of collaborators, app by app',
    display_name: 'App permissions',
    doc_url: '',
    enabled: true,
    feedback_email: '',
    id: namedId('team feature', FEATURE),
    name: FEATURE,
    state: 'general',
    updated_at: always,
  }
}
