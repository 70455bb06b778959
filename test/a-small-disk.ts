/** A file system that a test can fill. */

import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const PAGE = Buffer.alloc(4096)

export interface SmallDisk {
  readonly mount: string
  /** To the last page. */
  fill(): void
  /** Of what filled it. */
  empty(): void
}

export function aSmallDisk(t: TestContext, bytes: number): SmallDisk {
  const mount = mkdtempSync(join(tmpdir(), 'mayfly-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', mount])
  t.after(() => {
    // Lazily: files of it may still be open.
    execFileSync('umount', ['--lazy', mount])
    rmdirSync(mount)
  })
  const filler = join(mount, 'filler')
  return {
    mount,
    fill() {
      try {
        for (;;) appendFileSync(filler, PAGE)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    empty: () => rmSync(filler),
  }
}
