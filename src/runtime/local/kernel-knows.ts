/** What the running kernel has, or could load. */

import { closeSync, existsSync, globSync, openSync, readFileSync } from 'node:fs'

const LOOPS = '/dev/loop-control'

export function knowsFileSystem(name: string): boolean {
  return (
    readFileSync('/proc/filesystems', 'utf8').includes(`\t${name}\n`) || isModule(name)
  )
}

/** Whether the kernel could have files for disks, and lets us: in a container it may not. */
export function hasDisks(): boolean {
  const loops = existsSync(LOOPS) ? canBeOpened(LOOPS) : isModule('loop')
  return loops && knowsFileSystem('ext4')
}

/** Whether the kernel could load it when it is wanted. */
function isModule(name: string): boolean {
  return globSync(`/lib/modules/*/kernel/**/${name}.ko*`).length > 0
}

function canBeOpened(device: string): boolean {
  try {
    closeSync(openSync(device, 'r+'))
    return true
  } catch {
    return false
  }
}
