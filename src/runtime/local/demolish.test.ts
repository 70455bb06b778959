import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { SECOND } from '../../lib/clock.ts'
import { demolish, demolishedAt, noteDemolished } from './demolish.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
const runtime = new LocalRuntime(options)
after(close)

const FOREVER = 'while :; do sleep 0.05; done'
let used = 0

test('dynos get SIGTERM and a grace before they are killed', async () => {
  await runtime.prepare(signal)
  await mkdir(options.endedLogs, { recursive: true })
  const heeding = await started(`trap 'echo asked; exit' TERM; echo ready; ${FOREVER}`)
  await started(`trap '' TERM; echo ready; ${FOREVER}`)
  assert.equal(demolishedAt(options.dynos), undefined)

  assert.equal(await demolish(options, { grace: 5 * SECOND }), 2)

  assert.match(await readFile(join(options.endedLogs, `${heeding}.log`), 'utf8'), /asked/)
  assert.ok(demolishedAt(options.dynos))
  const earlier = new Date('2026-01-01T00:00:00.123Z')
  noteDemolished(options.dynos, earlier)
  assert.deepEqual(demolishedAt(options.dynos), earlier)
  assert.equal(await demolish(options, { grace: SECOND }), 0)
})

async function started(command: string) {
  const spec = aDynoSpec({ command, address: address(used++) })
  await runtime.start(spec, signal)
  await until(
    'it is ready',
    async () => (await runtime.output(spec.id, 0, signal)).text === 'ready\n',
  )
  return spec.id
}
