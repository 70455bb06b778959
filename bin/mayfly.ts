/** `./mayfly`: which command, and what becomes of its errors. */

import { Refusal } from '../src/installation/refusal.ts'

const commands: Readonly<
  Record<string, () => Promise<(args: string[]) => Promise<number | void>>>
> = {
  up: async () => (await import('./commands/up.ts')).up,
  down: async () => (await import('./commands/down.ts')).down,
  status: async () => (await import('./commands/status.ts')).status,
  env: async () => (await import('./commands/env.ts')).env,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  'account:create': async () =>
    (await import('./commands/account-create.ts')).accountCreate,
  'account:token': async () => (await import('./commands/account-token.ts')).accountToken,
  'account:revoke': async () =>
    (await import('./commands/account-revoke.ts')).accountRevoke,
  'account:password': async () =>
    (await import('./commands/account-password.ts')).accountPassword,
  'account:two-factor': async () =>
    (await import('./commands/account-two-factor.ts')).accountTwoFactor,
  'team:create': async () => (await import('./commands/team-create.ts')).teamCreate,
  'domain:certificate': async () =>
    (await import('./commands/domain-certificate.ts')).domainCertificate,
  'service:install': async () => (await import('./commands/service.ts')).serviceInstall,
  'service:remove': async () => (await import('./commands/service.ts')).serviceRemove,
  audit: async () => (await import('./commands/audit.ts')).audit,
  test: async () => (await import('./commands/test.ts')).test,
  bench: async () => (await import('./commands/bench.ts')).bench,
  simulate: async () => (await import('./commands/simulate.ts')).simulate,
  schema: async () => (await import('./commands/schema.ts')).schema,
}

const [name = '', ...args] = process.argv.slice(2)
try {
  const load = commands[name]
  if (!load)
    throw new Refusal(`There is no command "${name}"; ./mayfly help lists them.`, 2)
  if (process.geteuid?.() !== 0) throw new Refusal('This needs root.')
  const command = await load()
  process.exitCode = (await command(args)) ?? 0
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(`mayfly: ${error.message}`)
  process.exitCode = error.exitCode
}
