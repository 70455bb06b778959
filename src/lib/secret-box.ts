/**
 * Config vars rest in the database sealed: AES-256-GCM under the installation's key, bound
 * to their app, so that one app's row can't be passed off as another's. What is only to be known
 * again is signed: HMAC-SHA-256 under a key that is derived from it.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
} from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16
export const KEY_BYTES = 32

export interface SecretBox {
  /** `owner` is not secret; `open` must be given the same. */
  seal(text: string, owner: string): Buffer
  /** Throws when the box was altered, or sealed with another key or for another owner. */
  open(box: Buffer, owner: string): string
  /** The same for the same text; without the key nobody has it. 32 bytes. */
  sign(text: string): Buffer
}

/** `key` is 32 random bytes. */
export function secretBox(key: Buffer): SecretBox {
  if (key.length !== KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} bytes`)
  const signing = Buffer.from(hkdfSync('sha256', key, '', 'signing', KEY_BYTES))
  return {
    seal(text, owner) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
    },
    open(box, owner) {
      const nonce = box.subarray(0, NONCE_BYTES)
      const tag = box.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
        .setAAD(Buffer.from(owner))
        .setAuthTag(tag)
      const sealed = box.subarray(NONCE_BYTES + TAG_BYTES)
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8')
    },
    sign: (text) => createHmac('sha256', signing).update(text).digest(),
  }
}
