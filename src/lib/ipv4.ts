/** IPv4 addresses as numbers and in words. */

/**
 * The bridge's own address in a region's network, `172.16.64.0/18`: the first one. It is its dynos' way
 * out, and their name server.
 */
export function gatewayOf(subnet: string): string {
  const [network = ''] = subnet.split('/')
  return textOf(numberOf(network) + 1)
}

/** Throws where it is no address. */
export function numberOf(address: string): number {
  const bytes = address.split('.').map(Number)
  if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255))) {
    throw new Error(`${address} is not an IPv4 address`)
  }
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

export function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}
