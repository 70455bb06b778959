/** An OCI runtime that is slow to let a dyno go. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { SECOND } from '../../lib/clock.ts'
import { regionFiles } from './dyno-files.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()

test('one look waits for a late start, and the next asks what became of it', async (t) => {
  const { options, address, close } = await aLocalMachine()
  const runtime = new LocalRuntime({ ...options, ociRuntime: () => 'runc' })
  const programs = await mkdtemp(join(tmpdir(), 'mayfly-late-'))
  const at = (name: string) => join(programs, name)
  const { PATH = '' } = process.env
  const openGate = () => writeFile(at('gate'), '')
  t.after(async () => {
    await openGate()
    process.env['PATH'] = PATH
    await close()
    await rm(programs, { recursive: true })
  })
  await runtime.prepare(signal)
  execFileSync('mkfifo', [at('asked')])
  // All that the OCI runtime is asked goes by `env`. The first start waits at the gate.
  await writeFile(
    at('env'),
    `#!/bin/sh
for it; do
  case $it in start | state) echo $it >> ${at('questions')} ;; esac
  if [ "$it" = start ] && mkdir ${at('once')} 2> /dev/null; then
    echo > ${at('asked')}
    until [ -e ${at('gate')} ]; do sleep 0.02; done
  fi
done
exec /usr/bin/env "$@"
`,
    { mode: 0o755 },
  )
  process.env['PATH'] = programs + delimiter + PATH
  const questions = async () => (await readFile(at('questions'), 'utf8')).split('\n')

  const dyno = aDynoSpec({ command: 'echo begun; exec sleep 1000', address: address(0) })
  const { pid } = regionFiles(options.dynos).of(dyno.id)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late = assert.rejects(runtime.start(dyno, signal), ({ cause }: Error) => {
    assert.match(String(cause), /start .* has not ended yet/)
    return true
  })
  await readFile(at('asked'))
  t.mock.timers.tick(20 * SECOND)
  await late
  t.mock.timers.reset()
  assert.deepEqual(await questions(), ['start', ''])
  const first = await readFile(pid, 'utf8')

  await openGate()
  await until('it runs', async () => {
    return (await runtime.output(dyno.id, 0, signal)).text === 'begun\n'
  })
  await runtime.start(dyno, signal)
  assert.deepEqual(await questions(), ['start', 'start', 'state', ''])
  assert.equal((await runtime.status([dyno.id], signal)).get(dyno.id)?.is, 'running')
  assert.equal(await readFile(pid, 'utf8'), first)
  await runtime.remove(dyno.id, signal)
})
