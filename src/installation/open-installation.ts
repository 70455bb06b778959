import { readFileSync } from 'node:fs'

import type { DataDirectory, Installation } from './data-directory.ts'
import { Refusal } from './refusal.ts'

/** Undefined where nothing was set up. */
export function findInstallation(data: DataDirectory): Installation | undefined {
  try {
    return JSON.parse(readFileSync(data.installation, 'utf8')) as Installation
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function openInstallation(data: DataDirectory): Installation {
  const installation = findInstallation(data)
  if (installation) return installation
  throw new Refusal(
    `There is no installation in ${data.root}: ./mayfly up makes one, --data names another directory.`,
  )
}
