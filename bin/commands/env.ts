/** `./mayfly env`: what points the heroku CLI and git at this installation. */

import { delimiter, dirname, join } from 'node:path'

import { clientEnvironment } from '../../src/installation/client-environment.ts'
import { readApiKey } from '../../src/installation/keys.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'
import { program } from './settings.ts'

export async function env(args: string[]): Promise<void> {
  const { values } = parsed({
    args,
    options: { ...dataOption, json: { type: 'boolean' } },
  })
  const data = dataNamed(values.data)
  const installation = openInstallation(data)
  const variables = {
    ...clientEnvironment(data, installation, {
      apiKey: readApiKey(data),
      present: process.env,
    }),
    ...pathWithNode(),
  }
  console.log(
    values.json ? JSON.stringify(variables, undefined, 2) : exportLines(variables),
  )
}

/** Where ./mayfly had to fetch Node, the CLI needs that too: the machine's is too old, or not there. */
function pathWithNode(): { readonly PATH?: string } {
  const directory = dirname(process.execPath)
  if (!directory.startsWith(join(program, '.node', '/'))) return {}
  const others = (process.env['PATH'] ?? '').split(delimiter)
  const path = [directory, ...others.filter((it) => it !== directory)]
  return { PATH: path.join(delimiter) }
}

function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n')
}
