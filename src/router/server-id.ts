/**
 * Without an explicit id, HAProxy 2.6 sends what it balances by `random` to two servers
 * only. Ids below 2^20 spread over its hash ring; two servers of a backend may not share one.
 */

const IDS = 2 ** 20 - 1

/** An id for the server of this name that is not among `used`; mostly the same for a name. */
export function serverId(name: string, used: ReadonlySet<number>): number {
  let id = (hash(name) % IDS) + 1
  while (used.has(id)) id = (id % IDS) + 1
  return id
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0
  }
  return value
}
