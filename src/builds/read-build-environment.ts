import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Beside Node, wherever that is: ./mayfly takes no Node without one. */
const npm = join(dirname(process.execPath), 'npm')
const HANDED_ON = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
]

/**
 * What build dynos are told of the machine's settings: the registry its npm asks, its
 * proxies. `environment` is the caller's own.
 */
export async function readBuildEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const proxies = HANDED_ON.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [[name, value]]
  })
  const registry = environment['npm_config_registry'] ?? (await registryOf(environment))
  return { ...Object.fromEntries(proxies), npm_config_registry: registry }
}

async function registryOf(env: NodeJS.ProcessEnv): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [npm, 'config', 'get', 'registry'], {
    env,
  })
  return stdout.trim()
}
