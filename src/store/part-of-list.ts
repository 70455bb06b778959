/** Which part of a list: one that grows without an end is sorted and cut by the database. */
export interface PartOfList<Property extends keyof typeof typeOf = keyof typeof typeOf> {
  /** What the list is sorted by. */
  readonly by: Property
  /** The ends in the order asked for, as texts of the property's type. */
  readonly from: string | undefined
  readonly to: string | undefined
  /** From just after `from`, not at it. */
  readonly after: boolean
  readonly descending: boolean
  /** Null: all. */
  readonly most: number | null
}

/** All of a list in its usual order. */
export const whole = <Property extends keyof typeof typeOf>(
  by: Property,
): PartOfList<Property> => ({
  by,
  from: undefined,
  to: undefined,
  after: false,
  descending: false,
  most: null,
})

const typeOf = {
  created_at: 'timestamptz',
  id: 'uuid',
  name: 'text',
  version: 'integer',
} as const

/**
 * The rest of a statement, behind the first of its conditions: its parameters from `$first` on are
 * `boundsOf` the part. `key`: the property's column.
 */
export function cutBy(
  key: string,
  { by, after, descending }: PartOfList,
  first: number,
): string {
  const [further, within, order] = descending ? ['<', '>=', 'desc'] : ['>', '<=', 'asc']
  const from = `$${first}::${typeOf[by]}`
  const to = `$${first + 1}::${typeOf[by]}`
  return `and (${from} is null or ${key} ${further}${after ? '' : '='} ${from})
    and (${to} is null or ${key} ${within} ${to})
    order by ${key} ${order} limit $${first + 2}`
}

export function boundsOf({ from, to, most }: PartOfList): unknown[] {
  return [from, to, most]
}

/** A time as a text that is as exact as the database's, for two rows may be of one millisecond. */
export function exactly(column: string): string {
  return `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
