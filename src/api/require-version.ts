import { Problem } from '../model/problem.ts'

const VERSION_3 = /^application\/vnd\.heroku\+json\s*;\s*version=3(\.[\w-]+)?$/i

/** Version 3 in any of its variants (`3.sdk`, …) is spoken here, and nothing else. */
export function requireVersion(accept: string | undefined): void {
  const asked = (accept ?? '').split(',').map((it) => it.trim())
  if (asked.some((it) => VERSION_3.test(it))) return
  throw new Problem(
    'not_acceptable',
    'Ask for version 3 of the API: Accept: application/vnd.heroku+json; version=3',
  )
}
