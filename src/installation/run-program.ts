import { execFile } from 'node:child_process'

/** Letters, from the end of standard output, that a failure tells of. */
const REASON = 2_000

/** What the program printed. It is waited for, and a status other than 0 is an error that says what it printed. */
export function runProgram(command: readonly string[], input?: string): Promise<string> {
  const [file = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { maxBuffer: 64 << 20, cwd: '/' },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout)
        // Some give their reasons on standard output: pg_upgrade does.
        const said = `${stderr.trim()}\n${stdout.trim().slice(-REASON)}`.trim()
        reject(new Error(`${command.join(' ')}: ${said}`, { cause: error }))
      },
    )
    // A program that ends without reading is known by its status.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}

/** The same command as another user, who belongs to these groups and no others. */
export function asUser(
  user: string,
  groups: string | readonly [string, ...string[]],
  command: readonly string[],
  /** What of root's it keeps: `net_bind_service`. */
  capabilities: readonly string[] = [],
): readonly string[] {
  const [group = '', ...others] = [groups].flat()
  const more = others.length > 0 ? `--groups=${others.join(',')}` : '--clear-groups'
  const who = [`--reuid=${user}`, `--regid=${group}`, more]
  const kept = capabilities.map((it) => `+${it}`).join(',')
  const keeps = kept ? [`--inh-caps=${kept}`, `--ambient-caps=${kept}`] : []
  return ['setpriv', ...who, ...keeps, '--', ...command]
}
