import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { until } from '../../../test/until.ts'
import { beginArguments } from './begin-monitor.ts'
import { MonitorStarter } from './monitor-starter.ts'

const starter = new MonitorStarter()

test('each is told what its own process says first', async () => {
  const all = Array.from({ length: 20 }, (_, n) =>
    begin(`echo noise >&2; echo '{"pid": ${n}}' >&$_OCI_SYNCPIPE; exec sleep 0.1`),
  )
  const expected = all.map((_, n) => `{"pid": ${n}}`)
  assert.deepEqual(await Promise.all(all), expected)
})

test('one that ends without is told by its last words', async () => {
  assert.equal(await begin('echo no >&2; echo more >&2; exit 1'), 'no more')
  assert.match(await begin('exit 0', ['/nowhere/cgroup.procs']), /cannot open \/nowhere/)
})

test('arguments arrive as they are, however long', async () => {
  const odd = `a b\n'"$\\ü${'x'.repeat(100_000)}`
  const command = ['sh', '-c', 'printf %s "$1" | md5sum >&2', 'sh', odd]
  const sum = execFileSync('md5sum', { input: odd, encoding: 'utf8' })
  assert.equal(await starter.begin([...nothing(), ...command]), sum.trim())
})

test('what a process may have queued is limited, and that of one that is gone is not', async (t) => {
  const process = spawn('sleep', ['1000'])
  t.after(() => process.kill('SIGKILL'))
  await starter.limitSignals(process.pid ?? 0, 1024)
  const limits = readFileSync(`/proc/${process.pid}/limits`, 'utf8')
  assert.match(limits, /^Max pending signals +1024 +1024 /m)
  process.kill('SIGKILL')
  await once(process, 'close')
  await assert.rejects(
    starter.limitSignals(process.pid ?? 0, 1024),
    /cannot be limited: No such process/,
  )
})

test('when it is killed, those who wait are told, and it is begun anew', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'mayfly-starter-')), 'pids')
  const waiting = begin(
    `echo $PPID $$ >${file}.new; mv ${file}.new ${file}; exec sleep 1000`,
  )
  await until('it runs', () => existsSync(file))
  const [pid, child] = readFileSync(file, 'utf8').trim().split(' ')
  rmSync(dirname(file), { recursive: true })
  process.kill(Number(pid), 'SIGKILL')
  await assert.rejects(waiting, /nobody starts monitors/)
  assert.ok(process.kill(Number(child), 0), 'what it began goes on')
  process.kill(Number(child), 'SIGKILL')
  assert.equal(await begin('echo again >&2'), 'again')
})

function begin(script: string, cgroups: readonly string[] = []): Promise<string> {
  return starter.begin([...nothing(cgroups), 'bash', '-c', script])
}

function nothing(cgroups: readonly string[] = []): readonly string[] {
  return beginArguments({ cgroups, hybridMount: undefined })
}
