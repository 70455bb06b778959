/** What dynos and builds have been promised of a machine, and who waits for room on it. */

import { type Amount, NOTHING, type Promised } from '../model/capacity.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import type { Size } from '../model/size.ts'
import type { Queryable } from './queryable.ts'

/** Regions whose managers share a machine. */
export interface Machine {
  /** The installation's id: no two of one machine have the same. */
  readonly name: string
  readonly regions: readonly string[]
}

/** Until the transaction ends, nobody else counts or promises what the machine has. */
export async function lockCapacity(tx: Queryable, { name }: Machine): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`capacity of ${name}`])
}

/**
 * What dynos need that are placed and have a process, or may have, and builds that have an
 * address. Counted afresh from their rows each time, so that nothing can drift.
 */
export async function promisedOf(
  tx: Queryable,
  { regions }: Machine,
  needs: {
    readonly sizes: readonly Size[]
    /** Bytes; of a dyno of any size. */
    readonly diskOfDyno: number
    readonly build: Amount
  },
): Promise<Omit<Promised, 'room'>> {
  const quotas = Object.fromEntries(needs.sizes.map((it) => [it.name, it.memory]))
  const { rows } = await tx.query(
    `select count(*)::float8 as dynos,
            coalesce(sum(quota), 0)::float8 as memory,
            (max(quota) filter (where type = 'web'))::float8 as "largestWeb",
            (select count(*)::float8 from builds join apps on apps.id = builds.app
              where apps.region = any($1) and builds.address is not null) as builds
       from (select type, ($2::jsonb ->> size)::bigint as quota from dynos
              where region = any($1) and state in ('starting', 'up', 'stopping')
                and placed_at is not null) as placed`,
    [regions, JSON.stringify(quotas)],
  )
  const [counted] = rows as {
    dynos: number
    memory: number
    largestWeb: number | null
    builds: number
  }[]
  if (!counted) throw new Error('an aggregate has one row')
  const { dynos, memory, largestWeb, builds } = counted
  return {
    used: {
      memory: memory + builds * needs.build.memory,
      disk: dynos * needs.diskOfDyno + builds * needs.build.disk,
    },
    largestWeb:
      largestWeb === null ? NOTHING : { memory: largestWeb, disk: needs.diskOfDyno },
  }
}

export type Unplaced = Pick<
  Dyno,
  'id' | 'app' | 'formation' | 'release' | 'type' | 'ordinal' | 'size' | 'waitingFor'
> & { readonly region: string; readonly carriesOn: boolean }

/** Of those that wait: more than find room at a time. */
const LONGEST_WAITING = 1000

/**
 * Starting dynos of the machine that are not placed yet: those asked for, and of the sizes that may ever find
 * room the first thousand; an account may have a hundred thousand that wait, and no more of these are read.
 * Longest waiting first; but before them those that carry on: who takes the place of a dyno that had room, and a
 * release's command. Rows that others hold at this moment are left out.
 */
export async function lockUnplaced(
  tx: Queryable,
  { regions }: Machine,
  {
    asked,
    sizes,
  }: { readonly asked: readonly DynoId[]; readonly sizes: readonly string[] },
): Promise<Unplaced[]> {
  const { rows } = await tx.query(
    `with first as (
       select its.id
         from unnest($1::text[]) as region, unnest($3::text[]) as size,
              lateral (select id, carries_on, created_at, type, ordinal from dynos
                        where dynos.region = region.region and dynos.size = size.size
                          and state = 'starting' and placed_at is null
                        order by carries_on desc, created_at, type, ordinal limit $4) as its
        order by carries_on desc, created_at, type, ordinal limit $4)
     select id, app, formation, release, type, ordinal, size, region,
            waiting_for as "waitingFor", carries_on as "carriesOn"
       from dynos
      where id = any ($2::uuid[] || array(select id from first))
        and region = any($1) and state = 'starting' and placed_at is null
      order by carries_on desc, created_at, type, ordinal
        for update of dynos skip locked`,
    [regions, asked, sizes, LONGEST_WAITING],
  )
  return rows as Unplaced[]
}

/** Those of these that are not placed yet. */
export async function unplacedAmong(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<Pick<Unplaced, 'id' | 'region'>[]> {
  const { rows } = await db.query(
    `select id, region from dynos
      where id = any($1) and state = 'starting' and placed_at is null
        for update`,
    [ids],
  )
  return rows as Pick<Unplaced, 'id' | 'region'>[]
}

/** Each with its address. */
export async function markPlaced(
  tx: Queryable,
  placed: ReadonlyMap<DynoId, string>,
  now: Date,
): Promise<void> {
  await tx.query(
    `update dynos set placed_at = $3, address = its.address, waiting_for = null,
                      updated_at = case when waiting_for is null then updated_at else $3 end
       from unnest($1::uuid[], $2::inet[]) as its (id, address)
      where dynos.id = its.id and dynos.id = any($1)`,
    [[...placed.keys()], [...placed.values()], now],
  )
}

export async function markWaiting(
  tx: Queryable,
  ids: readonly DynoId[],
  now: Date,
): Promise<void> {
  await tx.query(
    `update dynos set waiting_for = 'capacity', updated_at = $2 where id = any($1)`,
    [ids, now],
  )
}

/** Which of these starting dynos have been placed, each with its address. */
export async function placedAmong(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<ReadonlyMap<DynoId, string>> {
  const { rows } = await db.query(
    `select id, host(address) as address from dynos
      where id = any($1) and state = 'starting' and placed_at is not null`,
    [ids],
  )
  const found = rows as { id: DynoId; address: string }[]
  return new Map(found.map(({ id, address }) => [id, address]))
}

export async function somebodyWaits(
  db: Queryable,
  { regions }: Machine,
): Promise<boolean> {
  const { rows } = await db.query(
    `select from dynos
      where region = any($1) and state = 'starting' and placed_at is null limit 1`,
    [regions],
  )
  return rows.length > 0
}
