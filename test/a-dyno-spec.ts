/** What a driver is told of a dyno that it starts in a test. */

import assert from 'node:assert/strict'

import { newId } from '../src/model/ids.ts'
import { sizeNamed } from '../src/model/size.ts'
import type { DynoSpec } from '../src/runtime/runtime.ts'

/** Where a web dyno of tests listens. */
export const PORT = 5000

/** A dyno that does as `command` says; the rest is usual. */
export function aDynoSpec(
  changes: Partial<DynoSpec> & Pick<DynoSpec, 'command' | 'address'>,
): DynoSpec {
  const size = sizeNamed('standard-1x')
  assert.ok(size)
  return {
    id: newId<'dyno'>(),
    name: 'web.1',
    size,
    environment: { PATH: '/usr/bin:/bin', HOME: '/app', PORT: String(PORT) },
    stack: 'debian-12',
    volumes: [],
    ...changes,
  }
}
