/** No process of a dyno leaves a core dump, nor has the kernel start a program for one. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { until } from '../../../test/until.ts'
import { hardCoreLimit } from '../../lib/hard-file-limit.ts'
import type { OciRuntimeName } from '../../model/oci-runtimes.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()
const { options, address, close } = await aLocalMachine()
let ociRuntime: OciRuntimeName = 'crun'
const runtime = new LocalRuntime({ ...options, ociRuntime: () => ociRuntime })

before(() => runtime.prepare(signal))
after(close)

/** More than its own limit nobody here may give: see `coreDumpFinding`. */
const MAY_GIVE = { skip: hardCoreLimit() < 1 }

/** Prints what it is before and after it was set in each way, and what was said to that. */
const SETS = `import ctypes, os, resource, struct
libc = ctypes.CDLL(None, use_errno=True)
def its():
    return resource.getrlimit(resource.RLIMIT_CORE)
def call(number, *arguments):
    print(libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)), *its())
none = ctypes.create_string_buffer(struct.pack("QQ", 0, 0))
at = ctypes.addressof(none)
print(*its())
SETRLIMIT, PRLIMIT64, CORE, HIGH = 160, 302, 4, 1 << 32
call(SETRLIMIT, CORE, at)
call(PRLIMIT64, 0, CORE, at, 0)
call(PRLIMIT64, os.getpid(), CORE, at, at)
call(SETRLIMIT, CORE | HIGH, at)
call(PRLIMIT64, 0, CORE | HIGH, at, 0)
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))`

for (const name of ['crun', 'runc'] as const) {
  test(
    `the limit of core dumps is 1 byte, whatever a dyno sets it to: ${name}`,
    MAY_GIVE,
    async () => {
      ociRuntime = name
      for (const n of [0, 1]) {
        // The second one's filter is what the first one's was compiled to.
        const dyno = aDynoSpec({ command: `python3 -c '${SETS}'`, address: address(n) })
        await runtime.start(dyno, signal)
        const said = async () => (await runtime.output(dyno.id, 0, signal)).text
        await until('it has ended', async () => {
          return (await runtime.status([dyno.id], signal)).get(dyno.id)?.is === 'exited'
        })
        const kept = ['0 1 1', '0 1 1', '0 1 1', '-1 1 1', '-1 1 1']
        assert.equal(await said(), ['1 1', ...kept, '300 400', ''].join('\n'))
        await runtime.remove(dyno.id, signal)
      }
    },
  )
}
