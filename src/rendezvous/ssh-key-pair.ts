import ssh2 from 'ssh2'

/** ssh2 writes one of 256 of these in a way that it cannot read itself: that one is thrown away. */
export function sshKeyPair(): ssh2.utils.KeyPairReturn {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}
