/** What Mayfly keeps of a password, made with so little work that a test may log in often. */

import { randomBytes, scryptSync } from 'node:crypto'

export function aLightHash(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 })
  return `$scrypt$ln=10,r=8,p=1$${salt.toString('base64url')}$${hash.toString('base64url')}`
}
