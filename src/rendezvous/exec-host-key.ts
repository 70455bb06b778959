import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

import ssh2 from 'ssh2'

import { sshKeyPair } from './ssh-key-pair.ts'

export interface HostKey {
  /** In OpenSSH's form. */
  readonly private: string
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string
}

/** The key by which clients know the server: made once, and its user's alone to read. */
export function hostKey(file: string): HostKey {
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, sshKeyPair().private, {
      mode: 0o600,
    })
    renameSync(`${file}.new`, file)
  }
  const text = readFileSync(file, 'utf8')
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) throw new Error(`${file} holds no key`, { cause: key })
  return { private: text, public: `${key.type} ${key.getPublicSSH().toString('base64')}` }
}
