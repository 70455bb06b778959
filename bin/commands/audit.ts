import { Refusal } from '../../src/installation/refusal.ts'
import { DAY, later, systemClock } from '../../src/lib/clock.ts'
import { findAudit, type KeptAuditEntry } from '../../src/store/audit.ts'
import { dataOption, parsed } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const ORDINARY_LINES = '100'

/** The newest entries, the newest last. */
export async function audit(args: string[]): Promise<void> {
  const { values } = parsed({
    args,
    options: {
      ...dataOption,
      app: { type: 'string' },
      account: { type: 'string' },
      days: { type: 'string' },
      lines: { type: 'string', default: ORDINARY_LINES },
      json: { type: 'boolean' },
    },
  })
  const days = values.days === undefined ? undefined : whole('--days', values.days)
  const entries = await withDatabase(values.data, (pool) =>
    findAudit(pool, {
      app: values.app,
      account: values.account,
      since: days === undefined ? undefined : later(systemClock.now(), -days * DAY),
      most: whole('--lines', values.lines),
    }),
  )
  for (const it of entries) console.log(values.json ? JSON.stringify(it) : line(it))
}

function whole(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new Refusal(`${flag} takes a number from 1, not "${text}".`, 2)
}

/** `2026-01-01T02:14:08.412Z dev@example.com 127.0.0.1 PATCH /apps/:app app=my-app 200` */
function line(it: KeptAuditEntry): string {
  const nouns = Object.entries(it.nouns).map(([name, value]) => `${name}=${value}`)
  const { email, address, method, route, status } = it
  const words = [
    it.at.toISOString(),
    email ?? '-',
    address ?? '-',
    method,
    route,
    ...nouns,
  ]
  return [...words, status].join(' ')
}
