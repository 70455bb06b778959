/** Dynos of a local machine, one after another at its addresses, and what they print. */

import type { DynoId } from '../src/model/ids.ts'
import type { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { aDynoSpec } from './a-dyno-spec.ts'

const { signal } = new AbortController()

export function dynosBegun(
  runtime: LocalRuntime,
  machine: { readonly address: (nth: number) => string },
) {
  let used = 0
  return {
    begun: async (
      command: string,
      environment: Readonly<Record<string, string>> = {},
    ): Promise<DynoId> => {
      const spec = aDynoSpec({ command, address: machine.address(used++) })
      const all = { ...spec.environment, ...environment }
      await runtime.start({ ...spec, environment: all }, signal)
      return spec.id
    },
    outputOf: async (id: DynoId): Promise<string> =>
      (await runtime.output(id, 0, signal)).text,
  }
}
