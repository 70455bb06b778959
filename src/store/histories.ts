/** The end of what apps' histories have more than is kept. */

import type { AppId } from '../model/ids.ts'
import type { KeptHistory } from '../model/kept-history.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import type { Queryable } from './queryable.ts'

type Most = Pick<KeptHistory, 'releases' | 'builds'>

/** A region's apps that have more of something than is kept. */
export async function appsWithLongHistories(
  db: Queryable,
  region: string,
  { releases, builds }: Most,
): Promise<AppId[]> {
  const { rows } = await db.query(
    `select id from apps
      where region = $1
        and ((select count(*) from releases where releases.app = apps.id) > $2
             or (select count(*) from builds where builds.app = apps.id) > $3)`,
    [region, releases, builds],
  )
  return (rows as { id: AppId }[]).map((row) => row.id)
}

/**
 * Rows that are forgotten at once, for the app is locked meanwhile: as long as it is so many, there may be
 * more.
 */
export const FORGOTTEN_UNDER_LOCK = 500

/** All but the newest that are over, and their outputs; returns how many those were. */
export async function forgetBuildsBeyond(
  tx: Queryable,
  app: AppId,
  most: number,
): Promise<number> {
  const { rows } = await tx.query(
    `delete from builds where id in (
       select id from (
         select id, status, row_number() over (order by created_at desc, id) as place
           from builds where app = $1) as its
        where place > $2 and status <> 'pending'
        limit $3) returning true`,
    [app, most, FORGOTTEN_UNDER_LOCK],
  )
  return rows.length
}

/**
 * All but the newest, and their outputs; returns how many those were. What stays beside them: the current release, the last one of each
 * slug that can be rolled back to, and what a dyno or a build that is kept is of. The newest has the
 * highest number, so numbers go on. The caller holds the app's lock, or one of these could become the current one.
 */
export async function forgetReleasesBeyond(
  tx: Queryable,
  app: AppId,
  most: number,
): Promise<number> {
  const { rows } = await tx.query(
    `delete from releases where id in (
       select id from (
         select id, status, slug, row_number() over (order by version desc) as place,
                row_number() over (partition by slug, status order by version desc) as of_slug
           from releases where app = $1) as its
        where place > $2 and status <> 'pending'
          and id is distinct from (select current_release from apps where apps.id = $1)
          and not (status = 'succeeded' and of_slug = 1
                   and exists (select from slugs
                                where slugs.id = its.slug and deleted_at is null))
          and not exists (select from dynos where dynos.release = its.id)
          and not exists (select from builds where builds.release = its.id)
        limit $3) returning true`,
    [app, most, FORGOTTEN_UNDER_LOCK],
  )
  return rows.length
}

/** What ended one-offs were given: nobody reads it any more. Of some thousands. */
export async function forgetWhatOneOffsWereGiven(
  db: Queryable,
  region: string,
): Promise<void> {
  await db.query(
    `update one_offs set environment = ''
      where dyno = any(array(
        select id from dynos join one_offs on one_offs.dyno = dynos.id
         where dynos.state = 'down' and dynos.region = $1 and octet_length(environment) > 0
         limit $2))`,
    [region, FORGOTTEN_AT_ONCE],
  )
}

/** Of the commands of dynos that are down the beginning stays. Of some thousands; returns of how many it was cut. */
export async function forgetLongCommands(db: Queryable, region: string): Promise<number> {
  const { rows } = await db.query(
    `update dynos set command = left(command, 200)
      where id = any(array(
        select id from dynos
         where region = $1 and state = 'down' and octet_length(command) > 1000
         limit $2))
     returning true`,
    [region, FORGOTTEN_AT_ONCE],
  )
  return rows.length
}

/** Some thousands of them; returns how many. */
export async function forgetEventsBeyond(
  db: Queryable,
  region: string,
  most: number,
): Promise<number> {
  const { rows } = await db.query(
    `delete from events where id = any(array(
       select events.id
         from (select apps.id as app,
                      (select id from events where events.app = apps.id
                        order by id desc offset $2 limit 1) as last
                 from apps where region = $1) as beyond
         join events on events.app = beyond.app and events.id <= beyond.last
        limit $3)) returning true`,
    [region, most, FORGOTTEN_AT_ONCE],
  )
  return rows.length
}

/** And all that came of them: of some thousands; returns of how many. */
export async function forgetWebhookEventsBeyond(
  db: Queryable,
  region: string,
  most: number,
): Promise<number> {
  const { rows } = await db.query(
    `delete from webhook_events where seq = any(array(
       select webhook_events.seq
         from (select apps.id as app,
                      (select seq from webhook_events where webhook_events.app = apps.id
                        order by seq desc offset $2 limit 1) as last
                 from apps where region = $1) as beyond
         join webhook_events
           on webhook_events.app = beyond.app and webhook_events.seq <= beyond.last
        limit $3)) returning true`,
    [region, most, FORGOTTEN_AT_ONCE],
  )
  return rows.length
}

export interface KeptOutputs {
  /** Of an app. */
  readonly most: number
  readonly bytes: number
  /** From before it none is kept. */
  readonly since: Date
}

/** Each may be of some megabytes. */
const OUTPUTS_AT_ONCE = 100

/**
 * What a region's builds and release commands printed, the newest first. What still prints is left alone. Some of
 * them, the oldest: what is newer counts for what an older one is beyond. Returns how many parts of outputs.
 */
export async function forgetOutputsBeyond(
  db: Queryable,
  region: string,
  { most, bytes, since }: KeptOutputs,
): Promise<number> {
  const its = [region, most, bytes, since, OUTPUTS_AT_ONCE]
  const ofBuilds = await db.query(
    `delete from build_output where printer in (
       select id from (
         select builds.id, builds.status, builds.created_at,
                row_number() over newest as place, sum(output.next) over newest as bytes
           from apps join builds on builds.app = apps.id
           join lateral (select next from build_output where printer = builds.id
                          order by position desc limit 1) as output on true
          where apps.region = $1
         window newest as (partition by builds.app order by builds.created_at desc, builds.id)) as its
        where status <> 'pending' and (place > $2 or bytes > $3 or created_at < $4)
        order by place desc limit $5) returning true`,
    its,
  )
  const ofReleases = await db.query(
    `delete from release_output where printer in (
       select id from (
         select releases.id, releases.status, releases.created_at,
                row_number() over newest as place, sum(output.next) over newest as bytes
           from apps join releases on releases.app = apps.id
           join lateral (select next from release_output where printer = releases.id
                          order by position desc limit 1) as output on true
          where apps.region = $1 and releases.has_release_phase
         window newest as (partition by releases.app order by releases.version desc)) as its
        where status <> 'pending' and (place > $2 or bytes > $3 or created_at < $4)
        order by place desc limit $5) returning true`,
    its,
  )
  return ofBuilds.rows.length + ofReleases.rows.length
}
