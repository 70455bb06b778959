import { bench as measure } from '../../bench/bench.ts'
import { parsed } from './arguments.ts'
import { runToTerminal } from './run-checks.ts'
import { program } from './settings.ts'

/** The programs that Mayfly is measured beside, where they are installed. */
const PEERS = ['docker.io', 'caddy']

/**
 * Measures the figures of the performance specification: all of them, or those named.
 * `--with-peers` installs what they are compared with first.
 */
export async function bench(args: string[]): Promise<number> {
  const { values, positionals } = parsed({
    args,
    options: { 'with-peers': { type: 'boolean' } },
    allowPositionals: true,
  })
  if (values['with-peers']) await installPeers()
  return measure(positionals)
}

async function installPeers(): Promise<void> {
  const apt = ['apt-get', 'install', '--yes', '--no-install-recommends', ...PEERS]
  const status = await runToTerminal(apt, { cwd: program })
  if (status !== 0)
    throw new Error(`the peers could not be installed: apt-get ended with ${status}`)
}
