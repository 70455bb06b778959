/** What an authenticator makes of the secret it is shown (RFC 4648, without padding). */
export function unbase32(text: string): Buffer {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = Array.from(text)
    .map((it) => letters.indexOf(it).toString(2).padStart(5, '0'))
    .join('')
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((it) => Number.parseInt(it, 2)))
}
