import { asUser } from '../src/installation/as-user.ts'
import { groupsOf, USERS } from '../src/installation/users.ts'
import { runProgram } from '../src/lib/run-program.ts'

const others = { haproxy: 'haproxy', nobody: 'nogroup', postgres: 'mayfly' } as const
const everybody = [
  ...USERS.map((user) => [user, groupsOf(user)] as const),
  ...Object.entries(others),
]

/** Of `nobody`, `haproxy`, PostgreSQL and the parts, who may do what with each path: `{ 'mayfly-git': 'r-x' }`; left out: nothing. */
export async function accessOf(
  paths: readonly string[],
): Promise<Record<string, string>[]> {
  const found: Record<string, string>[] = paths.map(() => ({}))
  for (const [user, groups] of everybody) {
    const ask = ['r', 'w', 'x'].map(
      (it) => `test -${it} "$path" && printf ${it} || printf -`,
    )
    const script = `for path; do ${ask.join('; ')}; echo; done`
    const said = await runProgram(
      asUser(user, groups, ['sh', '-c', script, 'sh', ...paths]),
    )
    for (const [n, may] of said.trimEnd().split('\n').entries())
      if (may !== '---') Object.assign(found[n] ?? {}, { [user]: may })
  }
  return found
}
