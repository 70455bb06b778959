/** Of a machine that systemd runs, what `systemctl show` says. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { DAY, HOUR } from '../lib/clock.ts'
import { bootService, serviceBegins } from './boot-service.ts'
import { dataDirectory } from './data-directory.ts'
import { Refusal } from './refusal.ts'

const top = mkdtempSync(join(tmpdir(), 'mayfly-systemctl-'))
after(() => rmSync(top, { recursive: true }))
const service = bootService(dataDirectory('/srv/b'), { id: 'abcdef' })
const shown = join(top, 'shown')
writeFileSync(
  join(top, 'systemctl'),
  `#!/bin/sh
[ "$*" = 'show --property=ActiveState --property=NRestarts ${service.name}' ] && exec cat '${shown}'
exit 1
`,
  { mode: 0o755 },
)
process.env['PATH'] = `${top}:${process.env['PATH']}`

const says = (state: string, restarts: number) =>
  writeFileSync(shown, `ActiveState=${state}\nNRestarts=${restarts}\n`)

/** Looks so often in vain, and then has begun. */
function begunAfter(looks: number): () => boolean {
  let left = looks
  return () => left-- <= 0
}

function refusedAs(state: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Refusal)
    assert.equal(
      error.message,
      `mayfly-abcdef.service does not come up, it is ${state}: journalctl -u mayfly-abcdef.service`,
    )
    return true
  }
}

const NEVER = () => false

for (const state of ['active', 'activating'])
  test(`a service that is ${state} is waited for`, async () => {
    says(state, 0)
    await serviceBegins(service, begunAfter(3), { inAll: HOUR, whenBegunAnew: 0 })
    await assert.rejects(
      serviceBegins(service, NEVER, { inAll: 0, whenBegunAnew: 0 }),
      refusedAs(state),
    )
  })

for (const state of ['failed', 'inactive'])
  test(`a service that is ${state} is refused at once`, async () => {
    says(state, 0)
    await assert.rejects(
      serviceBegins(service, begunAfter(1), { inAll: DAY, whenBegunAnew: DAY }),
      refusedAs(state),
    )
  })

test('a service that systemd begins anew is not waited for as long', async () => {
  says('activating', 7)
  await serviceBegins(service, begunAfter(2), { inAll: 0, whenBegunAnew: HOUR })
  await assert.rejects(
    serviceBegins(service, NEVER, { inAll: HOUR, whenBegunAnew: 0 }),
    refusedAs('activating'),
  )
})
