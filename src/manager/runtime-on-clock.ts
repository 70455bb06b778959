import { later } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import type { DynoStatus, Runtime } from '../runtime/runtime.ts'

/**
 * The runtime's times as the manager's clock tells them. The machine knows nothing of
 * `clockOffset`; a dyno started a moment ago must not seem a day old. `ahead`: milliseconds.
 */
export function runtimeOnClock(runtime: Runtime, ahead: () => number): Runtime {
  return {
    prepare: (signal) => runtime.prepare(signal),
    start: (dyno, signal) => runtime.start(dyno, signal),
    terminate: (id, signal) => runtime.terminate(id, signal),
    hangUp: (id, signal) => runtime.hangUp(id, signal),
    kill: (id, signal) => runtime.kill(id, signal),
    enter: (id, entry, signal) => runtime.enter(id, entry, signal),
    remove: (id, signal) => runtime.remove(id, signal),
    usage: (ids, signal) => runtime.usage(ids, signal),
    runnable: (ids, signal) => runtime.runnable(ids, signal),
    probe: (id, probe, signal) => runtime.probe(id, probe, signal),
    capacity: (signal) => runtime.capacity(signal),
    copyOut: (copy, signal) => runtime.copyOut(copy, signal),
    removeCopy: (copy, signal) => runtime.removeCopy(copy, signal),
    list: (signal) => runtime.list(signal),
    output: (id, offset, signal) => runtime.output(id, offset, signal),
    watch: (changed, signal) => runtime.watch(changed, signal),
    async status(ids: readonly DynoId[], signal: AbortSignal) {
      const found = await runtime.status(ids, signal)
      const by = ahead()
      if (by === 0) return found
      return new Map([...found].map(([id, status]) => [id, moved(status, by)]))
    },
  }
}

function moved(status: DynoStatus, by: number): DynoStatus {
  switch (status.is) {
    case 'running':
      return { ...status, startedAt: later(status.startedAt, by) }
    case 'exited':
      return {
        ...status,
        startedAt: later(status.startedAt, by),
        at: later(status.at, by),
      }
    case 'created':
    case 'lost':
      return status
  }
}
