import type { Queryable } from './queryable.ts'

/**
 * So many free addresses of the region's subnet, or as many as there are. They go round, so one
 * just freed is the last to come again. The first of the subnet is the gateway's. Until the
 * transaction ends, which is to write them down, nobody else is given any of the region's.
 */
export async function takeAddresses(
  tx: Queryable,
  region: string,
  count: number,
): Promise<string[]> {
  // By itself: a statement that waits for the lock does not see what was given away meanwhile.
  const { rows: cursors } = await tx.query(
    `insert into address_cursors (region, next) values ($1, 0)
     on conflict (region) do update set next = address_cursors.next returning next`,
    [region],
  )
  const [cursor] = cursors as { next: number }[]
  const { rows } = await tx.query(
    `with subnet as (
       select host(network(subnet))::inet + 2 as first, (1 << (32 - masklen(subnet))) - 3 as size
         from regions where name = $1
     ), steps as (
       select first, size, $2::integer % size as next, generate_series(1, size) as step
         from subnet
     ), candidates as (
       select (next + step) % size as place, step, first + (next + step) % size as address
         from steps
     ), free as (
       select place, step, address from candidates
        -- Looked up one by one, in turn, however many of either the planner expects.
        where (select id from dynos
                where dynos.address = candidates.address and state <> 'down') is null
          and (select id from builds
                where builds.address = candidates.address and status = 'pending' limit 1) is null
        limit $3
     ), moved as (
       update address_cursors set next = free.place from free
        where region = $1 and step = (select max(step) from free)
     )
     select host(address) as address from free order by step`,
    [region, cursor?.next, count],
  )
  return (rows as { address: string }[]).map((row) => row.address)
}
