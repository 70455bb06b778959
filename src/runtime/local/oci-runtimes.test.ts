/** What is true of a dyno whichever OCI runtime made it, beside crun's: local-runtime.test.ts has that. */

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { aLocalMachine } from '../../../test/a-local-machine.ts'
import { itIsARuntime } from '../../../test/runtime-contract.ts'
import { until } from '../../../test/until.ts'
import { OCI_RUNTIMES, type OciRuntimeName } from '../../model/oci-runtimes.ts'
import type { DynoSpec } from '../runtime.ts'
import { regionFiles } from './dyno-files.ts'
import { LocalRuntime } from './local-runtime.ts'

const { signal } = new AbortController()
// Nor krun's: krun.test.ts has that.
const others = OCI_RUNTIMES.filter((name) => !['crun', 'krun'].includes(name))

for (const name of others) {
  itIsARuntime(`local, by ${name}`, async () => {
    const { options, address, close } = await aLocalMachine()
    const its = { ...options, ociRuntime: () => name }
    return {
      runtime: new LocalRuntime(its),
      again: () => new LocalRuntime(its),
      address,
      close,
    }
  })
}

const machine = await aLocalMachine()
const { options } = machine
let made: OciRuntimeName = 'crun'
const runtime = new LocalRuntime({ ...options, ociRuntime: () => made })
const files = regionFiles(options.dynos)
let used = 0

before(() => runtime.prepare(signal))
after(() => machine.close())

for (const name of others) {
  test(`${name}: a dyno is nobody on the machine and may nothing`, async () => {
    made = name
    const text =
      await outputOf(`id -u; hostname; grep -E '^Cap(Eff|Bnd)' /proc/self/status
      ulimit -n; unshare -U true 2>/dev/null || echo no namespaces; touch /x 2>/dev/null || echo read-only
      touch /app/x /tmp/x && echo writable; cat /proc/1/comm`)
    assert.match(text, /^1000\n[0-9a-f-]{36}\n/)
    assert.match(text, /CapEff:\s0{16}\nCapBnd:\s0{16}\n10000\n/)
    assert.match(text, /read-only\nwritable\nmayfly-init\n/)
    // gVisor's are its own, and no way out.
    if (name !== 'runsc') assert.match(text, /no namespaces\n/)
  })

  test(`${name}: the slug and its volumes are the dyno's user's, and the slug stays as it was`, async () => {
    made = name
    const app = join(options.slugs, name, 'app')
    await mkdir(join(app, 'bin'), { recursive: true })
    await writeFile(join(app, 'bin', 'hello'), 'from the slug\n')
    const from = `volume-${name}`
    await mkdir(join(options.root, from))
    await writeFile(join(options.root, from, 'old'), 'old\n')
    const text = await outputOf(
      `${OWNER} bin/hello; cat bin/hello; echo new > bin/hello && cat bin/hello
       cat /tmp/volume/old; echo mine > /tmp/volume/new && ${OWNER} /tmp/volume/new; exit 0`,
      {
        slug: name,
        volumes: [{ from, at: '/tmp/volume', writable: true }],
      },
    )
    assert.equal(text, '1000\nfrom the slug\nnew\nold\n1000\n')
    assert.deepEqual(await readdir(join(options.root, from)), ['new', 'old'])
  })

  test(`${name}: a dyno that crun made is removed while the region is ${name}'s`, async () => {
    made = 'crun'
    const dyno = aSpec('sleep 1000')
    await runtime.start(dyno, signal)
    made = name
    const next = aSpec('sleep 1000')
    await runtime.start(next, signal)
    for (const [it, by] of [
      [dyno, 'crun'],
      [next, name],
    ] as const) {
      const kept = await stateKept(by)
      assert.ok(
        kept.length > 0 && kept.every((file) => file.includes(it.id)),
        kept.join(),
      )
      await runtime.remove(it.id, signal)
      assert.deepEqual(await stateKept(by), [])
    }
  })
}

for (const name of ['crun', ...others] as const) {
  test(`${name}: a process that was let go by a manager that died over it is not started again`, async () => {
    made = name
    const dyno = aSpec('echo begun; exec sleep 1000')
    const { pid, started } = files.of(dyno.id)
    await runtime.start(dyno, signal)
    await until('it runs', async () => {
      return (await runtime.output(dyno.id, 0, signal)).text === 'begun\n'
    })
    const first = await readFile(pid, 'utf8')
    await rm(started)
    await new LocalRuntime({ ...options, ociRuntime: () => name }).start(dyno, signal)
    assert.equal((await runtime.status([dyno.id], signal)).get(dyno.id)?.is, 'running')
    assert.equal(await readFile(pid, 'utf8'), first)
    await runtime.remove(dyno.id, signal)
  })
}

test('runsc: the kernel that a dyno sees is not the machine`s', async () => {
  made = 'runsc'
  const [kernel, seen] = [release(), (await outputOf('uname -r')).trim()]
  assert.notEqual(seen, kernel)
  assert.match(await outputOf('dmesg | head -n 1'), /gVisor/)
})

/** Newer ones of crun keep compiled filters beside it, in `.cache`. */
async function stateKept(by: OciRuntimeName): Promise<string[]> {
  return (await readdir(files.stateOf(by))).filter((name) => !name.startsWith('.'))
}

/** Debian 12's gVisor does not know how its stat(1) asks. */
const OWNER = `perl -e 'print +(stat shift)[4], "\\n"'`

function aSpec(command: string, changes: Partial<DynoSpec> = {}): DynoSpec {
  return { ...aDynoSpec({ command, address: machine.address(used++) }), ...changes }
}

/** Runs the command to its end and returns what it printed. */
async function outputOf(
  command: string,
  changes: Partial<DynoSpec> = {},
): Promise<string> {
  const dyno = aSpec(command, changes)
  await runtime.start(dyno, signal)
  await until('it has ended', async () => {
    const status = (await runtime.status([dyno.id], signal)).get(dyno.id)
    return status?.is === 'exited'
  })
  const { text } = await runtime.output(dyno.id, 0, signal)
  await runtime.remove(dyno.id, signal)
  return text
}
