import { appendFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'

import { idsFile } from '../src/installation/remains.ts'

/** For ./mayfly test, which looks for what the installations of its tests leave behind. */
export function noteInstallation(id: string): void {
  const file = idsFile(tmpdir())
  if (existsSync(file)) appendFileSync(file, `${id}\n`)
}
