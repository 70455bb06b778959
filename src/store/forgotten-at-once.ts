/**
 * How many rows a statement forgets, with all that belongs to them. All that are due at once
 * might take longer than a statement may, and then none would ever go.
 */
export const FORGOTTEN_AT_ONCE = 10_000
