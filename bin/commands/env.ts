/** `./mayfly env`: what points the heroku CLI and git at this installation. */

import { clientEnvironment } from '../../src/installation/client-environment.ts'
import { readApiKey } from '../../src/installation/keys.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'

export async function env(args: string[]): Promise<void> {
  const { values } = parsed({
    args,
    options: { ...dataOption, json: { type: 'boolean' } },
  })
  const data = dataNamed(values.data)
  const installation = openInstallation(data)
  const variables = clientEnvironment(data, installation, {
    apiKey: readApiKey(data),
    present: process.env,
  })
  console.log(
    values.json ? JSON.stringify(variables, undefined, 2) : exportLines(variables),
  )
}

function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n')
}
