/** What the control plane must find on this machine; a runtime driver has a list of its own. */

import { globSync } from 'node:fs'

import { type Finding, needed, neededPrograms } from '../lib/finding.ts'

const PROGRAMS = {
  git: 'git',
  haproxy: 'haproxy',
  openssl: 'openssl',
  setpriv: 'util-linux',
  useradd: 'passwd',
}

/** `ownPostgres`: PostgreSQL is to be run here, not elsewhere. */
export function examineForControlPlane(ownPostgres: boolean): readonly Finding[] {
  const hasPostgres = globSync('/usr/lib/postgresql/*/bin/postgres').length > 0
  return [
    needed(
      'root',
      process.geteuid?.() === 0,
      'Mayfly must be run by root: it makes namespaces and mounts.',
    ),
    ...neededPrograms(PROGRAMS),
    needed(
      'postgres',
      hasPostgres || !ownPostgres,
      'There is no PostgreSQL server: apt-get install postgresql.',
    ),
  ]
}
