/** A PostgreSQL that is alive and does not answer, as one does not that recovers from a power cut. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'

import { runningPart } from '../../src/installation/keep-part.ts'
import { isAlive } from '../../src/installation/living-process.ts'
import { supervisorOf } from '../../src/installation/supervisor-lock.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import { anInstallation } from '../an-installation.ts'
import { until } from '../until.ts'

const WITHIN = MINUTE

describe('an installation', { timeout: 180_000 }, () => {
  const installation = anInstallation({ regions: ['us'] })

  test('ends well when told to while PostgreSQL is waited for', async () => {
    const { data } = installation
    const supervisor = supervisorOf(data)
    const postgres = runningPart(data, 'postgres')
    assert.ok(supervisor && postgres)
    process.kill(supervisor.pid, 'SIGKILL')
    await until('its supervisor is gone', () => !isAlive(supervisor), WITHIN)

    process.kill(postgres.pid, 'SIGSTOP')
    try {
      const [program = '', ...args] = installation.mayflyCommand('up')
      const up = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      const exit = once(up, 'exit')
      let said = ''
      up.stderr.on('data', (it: Buffer) => (said += it.toString()))
      await until('it waits', () => said.includes('starting PostgreSQL'), WITHIN)
      up.kill('SIGTERM')
      await until('it ends all', () => said.includes('ending the control plane'), WITHIN)
      process.kill(postgres.pid, 'SIGCONT')
      assert.deepEqual(await exit, [0, null], said)
      assert.ok(!isAlive(postgres))
    } finally {
      if (isAlive(postgres)) process.kill(postgres.pid, 'SIGCONT')
    }
  })

  test('comes up again', async () => {
    const { status, stderr } = await installation.up()
    assert.equal(status, 0, stderr)
  })
})
