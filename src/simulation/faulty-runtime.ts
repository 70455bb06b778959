import type { DynoId } from '../model/ids.ts'
import { type Runtime, RuntimeError } from '../runtime/runtime.ts'
import { type Mortal, never, type Turns } from './turns.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What may go wrong with a call. Where it names no other moment: before it did anything. */
export type RuntimeFault =
  | 'fails'
  | 'fails afterwards'
  | 'hangs'
  | 'hangs afterwards'
  | 'answers late'
  | 'happens late'
  | 'happens twice'
  | 'stops half-way'

export interface RuntimeSurroundings {
  readonly time: VirtualTime
  readonly turns: Turns
  /** Asked at each call. */
  readonly fault: () => { readonly how: RuntimeFault; readonly late: number } | undefined
  /** How a hint arrives: after so many milliseconds each, maybe twice, maybe never. */
  readonly hints: () => readonly number[]
  /** Told before a call does something, which it may refuse by throwing. */
  readonly doing: (call: keyof Runtime, id: DynoId) => void
  readonly did: (call: keyof Runtime, id: DynoId) => void
}

/** A runtime as one simulated process sees it: each call has its turn, and may go wrong. */
export function faultyRuntime(
  runtime: Runtime & { halfStart(spec: Parameters<Runtime['start']>[0]): void },
  mortal: Mortal,
  around: RuntimeSurroundings,
): Runtime {
  const { time, turns } = around

  return {
    prepare: (signal) => ask(() => runtime.prepare(signal), signal),
    start: (dyno, signal) => {
      const act = () => runtime.start(dyno, signal)
      return change('start', dyno.id, act, signal, () => runtime.halfStart(dyno))
    },
    terminate: (id, signal) =>
      change('terminate', id, () => runtime.terminate(id, signal), signal),
    hangUp: (id, signal) =>
      change('hangUp', id, () => runtime.hangUp(id, signal), signal),
    kill: (id, signal) => change('kill', id, () => runtime.kill(id, signal), signal),
    enter: (id, entry, signal) =>
      change('enter', id, () => runtime.enter(id, entry, signal), signal),
    remove: (id, signal) =>
      change('remove', id, () => runtime.remove(id, signal), signal),
    status: (ids, signal) => ask(() => runtime.status(ids, signal), signal),
    usage: (ids, signal) => ask(() => runtime.usage(ids, signal), signal),
    runnable: (ids, signal) => ask(() => runtime.runnable(ids, signal), signal),
    probe: (id, probe, signal) => ask(() => runtime.probe(id, probe, signal), signal),
    capacity: (signal) => ask(() => runtime.capacity(signal), signal),
    copyOut: (copy, signal) => runtime.copyOut(copy, signal),
    removeCopy: (copy, signal) => runtime.removeCopy(copy, signal),
    list: (signal) => ask(() => runtime.list(signal), signal),
    output: (id, offset, signal) => ask(() => runtime.output(id, offset, signal), signal),
    watch(changed, signal) {
      runtime.watch((id) => {
        for (const late of around.hints()) {
          time.after(late, () => {
            if (!mortal.dead) changed(id)
          })
        }
      }, signal)
    },
  }

  function change(
    call: keyof Runtime,
    id: DynoId,
    act: () => Promise<void>,
    signal: AbortSignal,
    halfWay?: () => void,
  ): Promise<void> {
    return ask(
      async () => {
        around.doing(call, id)
        await act()
        around.did(call, id)
      },
      signal,
      halfWay,
    )
  }

  async function ask<T>(
    act: () => Promise<T>,
    signal: AbortSignal,
    halfWay?: () => void,
  ): Promise<T> {
    const fault = around.fault()
    const turn = () => turns.take(mortal, act)
    switch (fault?.how) {
      case undefined:
        return turn()
      case 'fails':
        await turns.take(mortal, async () => {})
        throw failed()
      case 'stops half-way':
        await turns.take(mortal, async () => halfWay?.())
        throw failed()
      case 'fails afterwards':
        await turn()
        throw failed()
      case 'hangs':
        return untilAborted(signal)
      case 'hangs afterwards':
        await turn()
        return untilAborted(signal)
      case 'answers late': {
        const answer = await turn()
        await time.sleep(fault.late)
        return mortal.dead ? never() : answer
      }
      case 'happens late':
        await time.sleep(fault.late)
        return turn()
      case 'happens twice':
        await turn()
        return turn()
    }
  }
}

function failed(): RuntimeError {
  return new RuntimeError('failed', 'injected')
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new RuntimeError('failed', 'aborted', signal.reason))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
