/**
 * What is kept of a password: scrypt (RFC 7914) with a salt of its own, in a line that says
 * what it was made with, so that the parameters may grow.
 */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** OWASP's: 2^15 blocks of 1 KiB, 32 MiB in all, three times over; some 0.3 s. */
const COST: Cost = { logN: 15, r: 8, p: 3 }
const SALT_BYTES = 16
const HASH_BYTES = 32
const LINE =
  /^\$scrypt\$ln=(?<logN>\d+),r=(?<r>\d+),p=(?<p>\d+)\$(?<salt>[\w-]+)\$(?<hash>[\w-]+)$/

interface Cost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** `$scrypt$ln=15,r=8,p=3$SALT$HASH` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST)
  const { logN, r, p } = COST
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** Without a hash it is no password, and takes as long to say so. */
export async function isPassword(
  password: string,
  hash: string | undefined,
): Promise<boolean> {
  if (hash === undefined) {
    await derive(password, randomBytes(SALT_BYTES), COST)
    return false
  }
  const parts = LINE.exec(hash)?.groups
  if (!parts) throw new Error('a kept password is no hash of ours')
  const { logN, r, p, salt = '', hash: expected = '' } = parts
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) }
  const made = await derive(password, Buffer.from(salt, 'base64url'), cost)
  return timingSafeEqual(made, Buffer.from(expected, 'base64url'))
}

/** One at a time: whoever tries many must not have the threads and the memory of all others. */
let turn: Promise<unknown> = Promise.resolve()

function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const made = turn.then(() => deriveNow(password, salt, cost))
  turn = made.catch(() => undefined)
  return made
}

function deriveNow(
  password: string,
  salt: Buffer,
  { logN, r, p }: Cost,
): Promise<Buffer> {
  const N = 2 ** logN
  return new Promise((resolve, reject) => {
    scrypt(
      // However a keyboard composes its letters.
      password.normalize('NFKC'),
      salt,
      HASH_BYTES,
      { N, r, p, maxmem: 2 * 128 * N * r },
      (error, hash) => (error ? reject(error) : resolve(hash)),
    )
  })
}
