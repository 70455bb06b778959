import type { Queryable } from './queryable.ts'

const TRIES = 1000

/**
 * A free address of the region's subnet, for a row of the same transaction. They go round,
 * so one just freed is the last to come again. The first of the subnet is the gateway's.
 */
export async function allocateAddress(db: Queryable, region: string): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { rows } = await db.query(
      `with turn as (
         insert into address_cursors (region, next) values ($1, 1)
         on conflict (region) do update set next = address_cursors.next + 1
         returning next
       ), candidate as (
         select network(subnet)::inet + 2
                  + (turn.next % ((1 << (32 - masklen(subnet))) - 3)) as address
           from turn, regions where regions.name = $1
       )
       select host(address) as address,
              exists (select from dynos
                       where dynos.address = candidate.address and state <> 'down')
           or exists (select from builds
                       where builds.address = candidate.address and status = 'pending')
                as taken
         from candidate`,
      [region],
    )
    const [found] = rows as { address: string; taken: boolean }[]
    if (found && !found.taken) return found.address
  }
  throw new Error(`no free address in region ${region}`)
}
