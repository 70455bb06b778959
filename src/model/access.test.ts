import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { PERMISSIONS, type Relation, standingOf, TEAM_ROLES, withView } from './access.ts'

const nobody: Relation = {
  isOwner: false,
  ofTeam: false,
  teamRole: null,
  granted: null,
  locked: false,
}
const cases: readonly [string, Partial<Relation>, string][] = [
  ['a stranger', {}, ''],
  ['the owner', { isOwner: true }, 'owner: view deploy operate manage'],
  ['a collaborator', { granted: ['view'] }, 'collaborator: view deploy operate'],
  ['an admin', { ofTeam: true, teamRole: 'admin' }, 'admin: view deploy operate manage'],
  [
    'an admin, locked',
    { ofTeam: true, teamRole: 'admin', locked: true },
    'admin: view deploy operate manage',
  ],
  ['a member', { ofTeam: true, teamRole: 'member' }, 'member: view deploy operate'],
  ['a member, locked', { ofTeam: true, teamRole: 'member', locked: true }, 'member: '],
  [
    'a member who was given something, locked',
    { ofTeam: true, teamRole: 'member', locked: true, granted: ['view', 'manage'] },
    'member: view manage',
  ],
  ['a team’s collaborator elsewhere', { ofTeam: true, teamRole: 'collaborator' }, ''],
  [
    'a team’s collaborator here',
    { ofTeam: true, teamRole: 'collaborator', granted: ['view', 'deploy'] },
    'collaborator: view deploy',
  ],
  [
    'somebody from outside the team',
    { ofTeam: true, granted: ['view'] },
    'collaborator: view',
  ],
]

for (const [who, relation, may] of cases) {
  test(`${who}: ${may || 'nothing'}`, () => {
    const standing = standingOf({ ...nobody, ...relation })
    assert.equal(
      standing ? `${standing.role}: ${standing.permissions.join(' ')}` : '',
      may,
    )
  })
}

test('to be given more never means less, and only owners, admins and the given manage', () => {
  const relations = fc.record({
    isOwner: fc.boolean(),
    ofTeam: fc.boolean(),
    teamRole: fc.constantFrom(null, ...TEAM_ROLES),
    granted: fc.option(fc.subarray([...PERMISSIONS])),
    locked: fc.boolean(),
  })
  fc.assert(
    fc.property(relations, (relation) => {
      const has = standingOf(relation)?.permissions ?? []
      const all = standingOf({ ...relation, granted: PERMISSIONS })?.permissions ?? []
      assert.ok(has.every((it) => all.includes(it)))
      if (!has.includes('manage')) return
      const { isOwner, ofTeam, teamRole, granted } = relation
      assert.ok(
        isOwner || (ofTeam && (teamRole === 'admin' || granted?.includes('manage'))),
      )
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
})

test('whatever is given, view comes with it, each once', () => {
  assert.deepEqual(withView(['manage', 'deploy', 'deploy']), ['view', 'deploy', 'manage'])
})
