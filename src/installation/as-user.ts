/** A command as another user, who belongs to these groups and no others. */
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
