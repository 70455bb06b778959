/** What the platform itself adds to a build's output, in Heroku's shape. */

import { KiB, MiB } from '../lib/bytes.ts'
import { type App, webUrlOf } from '../model/app.ts'
import type { Release } from '../model/release.ts'
import type { BuildResult } from './read-result.ts'

const RELEASE_COMMAND =
  ' !     Release command declared: this new release will not be available until the command succeeds.'

export function successMessage(
  app: App,
  release: Pick<Release, 'version' | 'status'>,
  result: BuildResult,
): string {
  return [
    '-----> Discovering process types',
    ...processTypeLines(result),
    ...result.warnings.map((warning) => ` !     ${warning}`),
    '',
    '-----> Compressing...',
    ...(result.size === undefined ? [] : [`       Done: ${megabytes(result.size)}`]),
    '-----> Launching...',
    ...(release.status === 'pending' ? [RELEASE_COMMAND] : []),
    `       Released v${release.version}`,
    `       ${webUrlOf(app)} deployed to Mayfly`,
    '',
    '',
  ].join('\n')
}

/** What is printed behind it is all of the build. */
export const BEGUN_ANEW =
  '\n !     The machine stopped in the middle of the build, which begins anew.\n\n'

export function failureMessage(failure: string): string {
  return `\n !     ${failure}\n`
}

function processTypeLines({ declared, processTypes, detected }: BuildResult): string[] {
  const defaults = Object.keys(processTypes).filter((type) => !declared.includes(type))
  const lines = [
    `       Procfile declares types     -> ${declared.toSorted().join(', ') || '(none)'}`,
  ]
  if (defaults.length > 0) {
    const of = detected ?? 'buildpack'
    lines.push(`       Default types for ${of} -> ${defaults.toSorted().join(', ')}`)
  }
  return lines
}

function megabytes(bytes: number): string {
  if (bytes < MiB) return `${Math.ceil(bytes / KiB)}K`
  return `${(bytes / MiB).toFixed(1)}M`
}
