/** The local runtime on a machine's own part, and dynos started there by a command. It needs root, and the stack. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before } from 'node:test'

import type { DynoId } from '../src/model/ids.ts'
import { regionFiles } from '../src/runtime/local/dyno-files.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import type { DynoSpec, DynoStatus } from '../src/runtime/runtime.ts'
import { aDynoSpec } from './a-dyno-spec.ts'
import { aLocalMachine } from './a-local-machine.ts'
import { untilSeen } from './until.ts'

const { signal } = new AbortController()

/** It is prepared before the first test, and gone after the last. */
export async function aLocalRuntime() {
  const machine = await aLocalMachine()
  const { options } = machine
  const runtime = new LocalRuntime(options)
  const files = regionFiles(options.dynos)
  let used = 0

  before(() => runtime.prepare(signal))
  after(() => machine.close())

  async function started(
    command: string,
    changes: Partial<DynoSpec> = {},
  ): Promise<DynoSpec> {
    const dyno = aSpec(command, changes)
    await runtime.start(dyno, signal)
    return dyno
  }

  /** Runs the command to its end; how it ended, and what it printed. */
  async function run(command: string, changes: Partial<DynoSpec> = {}) {
    const dyno = await started(command, changes)
    const status = await untilSeen('it has ended', () => ended(dyno.id))
    const { text } = await runtime.output(dyno.id, 0, signal)
    await runtime.remove(dyno.id, signal)
    assert.ok(status.is === 'exited')
    return { ...status, text }
  }

  /** Runs the command to its end and returns what it printed. */
  async function outputOf(
    command: string,
    changes: Partial<DynoSpec> = {},
  ): Promise<string> {
    return (await run(command, changes)).text
  }

  /** How it is, once it runs no more; undefined while it does. */
  async function ended(id: DynoId): Promise<DynoStatus | undefined> {
    const status = await statusOf(id)
    return status?.is === 'running' ? undefined : status
  }

  async function statusOf(id: DynoId): Promise<DynoStatus | undefined> {
    return (await runtime.status([id], signal)).get(id)
  }

  function aSpec(command: string, changes: Partial<DynoSpec> = {}): DynoSpec {
    return aDynoSpec({ command, address: machine.address(used++), ...changes })
  }

  async function aSlug(contents: Readonly<Record<string, string>>): Promise<string> {
    const slug = randomBytes(4).toString('hex')
    for (const [name, text] of Object.entries(contents)) {
      const file = join(options.slugs, slug, 'app', name)
      await mkdir(join(file, '..'), { recursive: true })
      await writeFile(file, text)
    }
    return slug
  }

  return {
    options,
    runtime,
    files,
    started,
    run,
    outputOf,
    ended,
    statusOf,
    aSpec,
    aSlug,
  }
}
