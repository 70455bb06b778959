import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { asRole, aDatabase } from '../../test/postgres.ts'
import { applyGrants } from './grants.ts'
import { PART_ROLES, roleOf, userMap } from './roles.ts'

const pool = aDatabase()

const FORBIDDEN = '42501'

/** What would be worth most to whoever has taken a part over, each in a statement that is well formed. */
const refused: Readonly<Record<string, readonly string[]>> = {
  mayfly_api: [
    `update dynos set state = 'up'`,
    `delete from dynos`,
    // One that is up, and is sent the requests for another app's dyno.
    `insert into dynos (id, app, release, region, type, ordinal, size, command, address, port, state,
                        routed, created_at, updated_at)
     select gen_random_uuid(), app, release, region, 'web', 1, size, command, address, port, 'up',
            true, now(), now() from dynos`,
    ...['state', 'routed', 'formation', 'placed_at', 'started_at'].map(
      (it) => `insert into dynos (${it}) values (null)`,
    ),
    ...['status', 'step', 'slug', 'release', 'address'].map(
      (it) => `insert into builds (${it}) values (null)`,
    ),
    `insert into one_offs (attached_at) values (now())`,
    `insert into work (leased_until) values (now())`,
    `insert into audit (at) values (now())`,
    `update work set leased_until = null`,
    `update slugs set deleted_at = null`,
    `insert into slugs select * from slugs`,
    `insert into router_measures select * from router_measures`,
    `update builds set status = 'succeeded'`,
    `update one_offs set attached_at = now()`,
    `select from audit`,
    `update audit set status = 200`,
    `delete from audit`,
    `delete from events`,
    `select from acme_accounts`,
    `select private_key from sni_endpoints`,
    `select unsealed_source_url from builds`,
    `select private_key from acme_orders`,
    `select from log_lines`,
    `delete from log_sessions`,
    `insert into migrations (name) values ('x')`,
  ],
  mayfly_git: [
    `insert into authorizations select * from authorizations`,
    `update apps set owner = owner`,
    `insert into collaborators select * from collaborators`,
    `select from dynos`,
    `select from sni_endpoints`,
    `select from audit`,
    `insert into releases select * from releases`,
    `select secret from two_factors`,
    `select config_vars from releases`,
    `select get_token_sha256 from sources`,
    `select source_url from builds`,
    `select hash from passwords`,
    `insert into builds (status) values ('succeeded')`,
  ],
  mayfly_logs: [
    `select from accounts`,
    `select from authorizations`,
    `select from releases`,
    `select from sni_endpoints`,
    `update apps set name = name`,
    `update dynos set state = state`,
    `insert into log_sessions select * from log_sessions`,
  ],
  mayfly_rendezvous: [
    `select token_sha256 from authorizations`,
    `update authorizations set expires_at = null`,
    `select from releases`,
    `select environment from one_offs`,
    `select environment from entries`,
    `insert into exec_reservations select * from exec_reservations`,
    `update dynos set state = state`,
    `update one_offs set hang_ups = 0`,
  ],
  mayfly_manager: [
    `select from authorizations`,
    `insert into authorizations select * from authorizations`,
    `insert into accounts select * from accounts`,
    `insert into collaborators select * from collaborators`,
    `insert into audit default values`,
    `update audit set status = 200`,
    `update apps set owner = owner`,
    `select secret from webhooks`,
    `select put_token_sha256 from sources`,
    `select attach_secret_sha256 from entries`,
    `select from log_lines`,
  ],
}

test('each role is refused what its part has no business with', async () => {
  assert.deepEqual(
    Object.keys(refused),
    PART_ROLES.map(({ role }) => role),
  )
  for (const [role, statements] of Object.entries(refused)) {
    const its = asRole(pool, role)
    for (const statement of [
      ...statements,
      'create table mine (id int)',
      'drop table dynos',
      'alter table apps disable trigger all',
    ]) {
      await assert.rejects(
        its.query(statement),
        { code: FORBIDDEN },
        `${role}: ${statement}`,
      )
    }
  }
})

test('each role may do what grants.sql says, and nothing else', async () => {
  const { rows } = await pool.query<{ may: string }>(
    `with roles as (select oid, rolname as role from pg_roles where rolname like 'mayfly\\_%'),
          tables as (select oid, relname as name from pg_class
                      where relkind = 'r' and relnamespace = 'public'::regnamespace),
          verbs as (select unnest(array['select', 'insert', 'update', 'delete', 'truncate',
                                        'references', 'trigger']) as verb)
     select concat_ws(' ', verb, name, role) as may from roles r, tables t, verbs
      where has_table_privilege(r.oid, t.oid, verb)
     union all
     select concat_ws(' ', verb, name, attname, role)
       from roles r, tables t, verbs, pg_attribute a
      where attrelid = t.oid and attnum > 0 and not attisdropped
        and verb in ('select', 'insert', 'update', 'references')
        and has_column_privilege(r.oid, t.oid, attnum, verb)
        and not has_table_privilege(r.oid, t.oid, verb)`,
  )
  const grants = readFileSync(join(import.meta.dirname, '../../grants.sql'), 'utf8')
  const should = [...grants.matchAll(/^grant (.*) on (\w+) to (\w+);$/gm)].flatMap(
    ([, rights = '', table, role]) =>
      [...rights.matchAll(/(\w+)(?: \(([^)]*)\))?(?:, |$)/g)].flatMap(
        ([, verb, columns]) =>
          columns === undefined
            ? [`${verb} ${table} ${role}`]
            : columns
                .replaceAll('"', '')
                .split(', ')
                .map((it) => `${verb} ${table} ${it} ${role}`),
      ),
  )
  assert.deepEqual(rows.map(({ may }) => may).toSorted(), should.toSorted())
})

test('what is no longer in grants.sql is taken back', async () => {
  await pool.query('grant delete on dynos to mayfly_api')
  await applyGrants(pool)
  await assert.rejects(asRole(pool, 'mayfly_api').query('delete from dynos'), {
    code: FORBIDDEN,
  })
})

test('no user of the machine but root may come as another part', () => {
  const lines = userMap().trim().split('\n')
  const others = lines.filter((it) => !it.startsWith('mayfly root '))
  assert.deepEqual(others, [
    'mayfly postgres postgres',
    'mayfly mayfly-api mayfly_api',
    'mayfly mayfly-git mayfly_git',
    'mayfly mayfly-logs mayfly_logs',
    'mayfly mayfly-rendezvous mayfly_rendezvous',
  ])
  assert.equal(roleOf('manager-us'), 'mayfly_manager')
  assert.throws(() => roleOf('router-us'), /no role/)
})
