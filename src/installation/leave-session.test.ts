import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import type { Cgroups } from '../lib/cgroup-mounts.ts'
import type { Installation } from './data-directory.ts'
import { leaveSession, removeOwnCgroup } from './leave-session.ts'

const installation = { id: 'a1b2c3' } as Installation
const SESSION = '0::/user.slice/user-1000.slice/session-5.scope\n'

/** Files in place of the kernel's. */
function aMachine(t: TestContext, version: 1 | 2): Cgroups & { readonly at: string } {
  const at = mkdtempSync(join(tmpdir(), 'cgroups-'))
  t.after(() => rmSync(at, { recursive: true }))
  const hierarchies = new Map([['unified', at]])
  return { at, version, hybridMount: undefined, hierarchies, limitsSwap: true }
}

test('an up that was typed in a login session leaves it', (t) => {
  const machine = aMachine(t, 2)
  leaveSession(installation, SESSION, machine)
  leaveSession(installation, SESSION, machine)
  const pids = readFileSync(join(machine.at, 'mayfly-a1b2c3.up', 'cgroup.procs'), 'utf8')
  assert.equal(pids, String(process.pid))
})

test('a service and a container have their own, and version 1 ends no session', (t) => {
  const [second, first] = [aMachine(t, 2), aMachine(t, 1)]
  leaveSession(installation, '0::/system.slice/mayfly.service\n', second)
  leaveSession(installation, '0::/system.slice/docker-x.scope\n', second)
  leaveSession(installation, SESSION, first)
  assert.deepEqual([readdirSync(second.at), readdirSync(first.at)], [[], []])
})

test('what it leaves behind is removed, if it is there', async (t) => {
  const machine = aMachine(t, 2)
  await removeOwnCgroup(installation, machine)
  leaveSession(installation, SESSION, machine)
  const directory = join(machine.at, 'mayfly-a1b2c3.up')
  // Of a cgroup it would be no file that counts.
  rmSync(join(directory, 'cgroup.procs'))
  await removeOwnCgroup(installation, machine)
  assert.equal(existsSync(directory), false)
})
