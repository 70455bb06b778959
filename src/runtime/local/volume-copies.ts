/**
 * Copies of volumes, each made by a process of its own, `bin/copy-volume.ts`: it may take longer
 * than a look, and outlive the manager that began it. It holds the lock of the volume's directory,
 * so of two managers' processes for one volume the later one waits, and finds the copy there.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { serialize } from 'node:v8'

import { runProgram } from '../../lib/run-program.ts'
import { UnderWay } from '../../lib/under-way.ts'
import { type Copy, RuntimeError } from '../runtime.ts'

const COPY = join(import.meta.dirname, '../../../bin/copy-volume.ts')

/** What that program prints where the volume must not, or cannot, be copied. */
export type Refusal = Pick<RuntimeError, 'code' | 'message'>

/** In all of these `from` and `to` are absolute. */
export class VolumeCopies {
  readonly #copying = new UnderWay<void>()
  readonly #removing = new UnderWay<string>()

  /** Whether the copy is there, and on disk. */
  async copy(copy: Copy, signal: AbortSignal): Promise<boolean> {
    const { from, to } = copy
    // It was copied, and then the volume removed.
    if (!existsSync(from) && existsSync(to)) return true
    const ended = await this.#copying.ask(to, () => copyOf(copy), signal)
    return ended !== undefined
  }

  /** Whether nothing is left of the copy, and nobody makes it. */
  async remove({ from, to }: Omit<Copy, 'most'>, signal: AbortSignal): Promise<boolean> {
    const removal = ['rm', '--recursive', '--force', `${to}.new`, to]
    const inTurn = existsSync(from) ? ['flock', from, ...removal] : removal
    const ended = await this.#removing.ask(to, () => outliving(inTurn), signal)
    return ended !== undefined
  }
}

async function copyOf(copy: Copy): Promise<void> {
  const told = serialize(copy).toString('base64')
  const said = await outliving(['flock', copy.from, process.execPath, COPY, told])
  if (said === '') return
  const { code, message } = JSON.parse(said) as Refusal
  throw new RuntimeError(code, message)
}

/** By MAYFLY_PART a process is taken for the part itself; by MAYFLY_DATA `mayfly down` finds it. */
function outliving(command: readonly string[]): Promise<string> {
  return runProgram(['env', '--unset=MAYFLY_PART', ...command], { detached: true })
}
