import type { Queryable } from './queryable.ts'

const TRIES = 1000

/**
 * Free addresses of the region's subnet, for rows that are about to be. They go round, so one
 * just freed is the last to come again, and nobody else is given the same meanwhile. The first of the subnet is the gateway's.
 */
export async function allocateAddresses(
  db: Queryable,
  region: string,
  count: number,
): Promise<string[]> {
  const found: string[] = []
  for (let tries = 0; tries < TRIES && found.length < count; tries++) {
    found.push(...(await freeAmongNext(db, region, count - found.length)))
  }
  if (found.length < count) throw new Error(`no free address in region ${region}`)
  return found
}

export async function allocateAddress(db: Queryable, region: string): Promise<string> {
  const [address] = await allocateAddresses(db, region, 1)
  if (!address) throw new Error(`no free address in region ${region}`)
  return address
}

/** Moves the region's cursor on by `count`, and gives those it passed that nobody holds. */
async function freeAmongNext(
  db: Queryable,
  region: string,
  count: number,
): Promise<string[]> {
  const { rows } = await db.query(
    `with turn as (
       insert into address_cursors (region, next) values ($1, $2)
       on conflict (region) do update set next = address_cursors.next + $2
       returning next
     ), candidates as (
       select host(network(subnet))::inet + 2
                + ((turn.next - step) % ((1 << (32 - masklen(subnet))) - 3)) as address
         from turn, regions, generate_series($2::integer - 1, 0, -1) as step
        where regions.name = $1
     )
     select host(address) as address from candidates
      -- Looked up one by one, however many of either the planner expects.
      where (select id from dynos
              where dynos.address = candidates.address and state <> 'down') is null
        and not exists (select from builds
                         where builds.address = candidates.address and status = 'pending')`,
    [region, count],
  )
  return (rows as { address: string }[]).map((row) => row.address)
}
