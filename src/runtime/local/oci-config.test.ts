import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arch } from 'node:process'
import { test } from 'node:test'

import { aDynoSpec } from '../../../test/a-dyno-spec.ts'
import { type DynoId, newId } from '../../model/ids.ts'
import { firstUidOf } from './address.ts'
import { CompiledFilter } from './compiled-filter.ts'
import { regionFiles } from './dyno-files.ts'
import { entryProcess, hostsFile, ociConfig } from './oci-config.ts'
import { seccompProfile } from './seccomp.ts'

const id = 'd0000000-0000-4000-8000-000000000001' as DynoId
const dyno = aDynoSpec({ id, command: 'npm start', address: '172.16.64.9' })
const around = {
  files: regionFiles('/data/dynos/us').of(id),
  rootfs: '/data/stacks/debian-12',
  init: '/usr/bin/tini-static',
  resolvConf: '/data/dynos/us/resolv.conf',
  authorities: undefined,
  cgroup: '/mayfly-a1b2c3/us/x/dyno',
  limitsSwap: true,
  mostFiles: 20_000,
  mostCore: Infinity,
  seccomp: seccompProfile('x64'),
  seccompFilter: new CompiledFilter(),
  slug: undefined,
  hasProfile: true,
  volumes: [],
  isKernel: false,
  isMachine: false,
}

test('the limit of core dumps is the one by which no program is started either, if it may be given', () => {
  for (const [mostCore, bytes] of [
    [Infinity, 1],
    [1, 1],
    [0, 0],
  ] as const) {
    const { rlimits } = ociConfig(dyno, { ...around, mostCore }).process
    assert.deepEqual(
      rlimits.find(({ type }) => type === 'RLIMIT_CORE'),
      { type: 'RLIMIT_CORE', soft: bytes, hard: bytes },
    )
  }
})

test('a dyno has namespaces of its own and no capability', () => {
  const { linux, process, root } = ociConfig(dyno, around)
  assert.deepEqual(linux.namespaces.map(({ type }) => type).toSorted(), [
    'cgroup',
    'ipc',
    'mount',
    'pid',
    'user',
    'uts',
  ])
  assert.ok(Object.values(process.capabilities).every((all) => all.length === 0))
  assert.equal(process.noNewPrivileges, true)
  assert.equal(root.readonly, true)
  assert.equal(process.user.uid, 1000)
})

test('the monitor of a machine is nobody but the dyno`s user, and its files are over the stack`s', () => {
  const { linux, process, mounts } = ociConfig(dyno, { ...around, isMachine: true })
  assert.deepEqual(linux.namespaces.map(({ type }) => type).toSorted(), [
    'cgroup',
    'ipc',
    'mount',
    'pid',
    'uts',
  ])
  assert.ok(Object.values(process.capabilities).every((all) => all.length === 0))
  assert.equal(process.noNewPrivileges, true)
  assert.equal(process.user.uid, firstUidOf(dyno.address) + 1000)
  assert.equal(process.user.gid, process.user.uid)
  assert.deepEqual(process.args, [
    '/sbin/mayfly-init',
    arch,
    String(firstUidOf(dyno.address) + 1000),
  ])
  assert.ok(process.env.every((it) => /^(HOSTNAME|KRUN_RLIMITS)=/.test(it)))
  for (const it of ['/.krun_vm.json', '/.mayfly_command', '/.mayfly_signals']) {
    const mount = mounts.find(({ destination }) => destination === it)
    assert.ok(mount?.options.includes('ro'), it)
  }
})

test('of /proc a dyno sees what containers of Docker see, and starts no program from there', () => {
  const { mounts, linux } = ociConfig(dyno, around)
  const proc = mounts.find(({ destination }) => destination === '/proc')
  assert.deepEqual(proc?.options, ['nosuid', 'nodev', 'noexec'])
  for (const it of [
    'acpi',
    'asound',
    'interrupts',
    'kcore',
    'keys',
    'scsi',
    'timer_list',
  ]) {
    assert.ok(linux.maskedPaths.includes(`/proc/${it}`), it)
  }
  for (const it of ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']) {
    assert.ok(linux.readonlyPaths.includes(`/proc/${it}`), it)
  }
})

test('its uids are its own', () => {
  const { uidMappings, gidMappings } = ociConfig(dyno, around).linux
  assert.deepEqual(uidMappings, [
    { containerID: 0, hostID: firstUidOf('172.16.64.9'), size: 2048 },
  ])
  assert.deepEqual(gidMappings, uidMappings)
})

test('open files are by its size, and no more than there are to give', () => {
  const entry = {
    id: newId<'entry'>(),
    command: '',
    environment: {},
    terminal: undefined,
  }
  for (const [openFiles, hardOpenFiles, soft, hard] of [
    [500, 500, 500, 500],
    [500, 15_000, 500, 15_000],
    [10_000, 50_000, 10_000, 20_000],
    [30_000, 30_000, 20_000, 20_000],
  ] as const) {
    const size = { ...dyno.size, openFiles, hardOpenFiles }
    const config = ociConfig({ ...dyno, size }, around)
    const { rlimits } = config.process
    assert.deepEqual(rlimits[0], { type: 'RLIMIT_NOFILE', soft, hard })
    const itsToo = entryProcess(entry, config).rlimits.slice(0, rlimits.length)
    assert.deepEqual(itsToo, rlimits, 'who enters it, too')
  }
})

test('the hard limit is memory and swap together', () => {
  const { memory } = ociConfig(dyno, around).linux.resources
  assert.deepEqual(memory, { limit: 2 ** 30, swap: 2 ** 30 })
  const without = ociConfig(dyno, { ...around, limitsSwap: false }).linux.resources.memory
  assert.deepEqual(without, { limit: 2 ** 30 })
})

test('the command is an argument, not part of a script', () => {
  const { args } = ociConfig({ ...dyno, command: '"; rm -rf /' }, around).process
  assert.equal(args.at(-1), '"; rm -rf /')
  assert.ok(args.slice(0, -1).every((arg) => !arg.includes('rm -rf')))
})

test('where nothing runs before the command, one shell is enough', () => {
  const plain = { ...around, hasProfile: false }
  const { args } = ociConfig({ ...dyno, command: 'a "$b"' }, plain).process
  assert.deepEqual(args.slice(-3), ['/bin/bash', '-c', 'exec </dev/null\na "$b"'])
  const attached = { ...dyno, attachment: { terminal: undefined } }
  assert.equal(ociConfig(attached, plain).process.args.at(-1), 'npm start')
})

test('a profile that is compiled already is not spelt out again', (t) => {
  const state = mkdtempSync(join(tmpdir(), 'mayfly-crun-'))
  t.after(() => rmSync(state, { recursive: true }))
  writeFileSync(join(state, 'seccomp.bpf'), 'compiled')
  const seccompFilter = new CompiledFilter()
  const first = ociConfig(dyno, { ...around, seccompFilter })
  seccompFilter.learn(around.seccomp, state)
  const second = ociConfig(dyno, { ...around, seccompFilter })
  assert.deepEqual(first.linux.seccomp, around.seccomp)
  assert.deepEqual(second.linux.seccomp, { ...around.seccomp, syscalls: [] })
  assert.deepEqual(second.annotations, {
    'run.oci.seccomp_bpf_data': Buffer.from('compiled').toString('base64'),
  })
})

test('a slug lies under /app, is its owner mapped to the dyno, and is covered', () => {
  const slug = { source: '/data/slugs/s/app', uid: 7, gid: 8 }
  const { mounts } = ociConfig(dyno, { ...around, slug })
  const user = firstUidOf(dyno.address) + 1000
  const [below, overlay, cover] = mounts.slice(-3)
  assert.deepEqual(below, {
    destination: '/slug',
    type: 'bind',
    source: '/data/slugs/s/app',
    options: ['rbind', 'ro', 'nosuid', 'nodev', 'idmap'],
    uidMappings: [{ containerID: 7, hostID: user, size: 1 }],
    gidMappings: [{ containerID: 8, hostID: user, size: 1 }],
  })
  assert.equal(overlay?.destination, '/app')
  assert.ok(overlay.options?.includes('lowerdir=/data/stacks/debian-12/slug'))
  assert.ok(overlay.options?.includes(`upperdir=/data/dynos/us/${id}/disk/upper`))
  assert.equal(cover?.type, 'tmpfs')
  assert.equal(cover.destination, '/slug')
})

test('without a slug nothing is mounted on /slug', () => {
  const { mounts } = ociConfig(dyno, around)
  assert.ok(mounts.every(({ destination }) => destination !== '/slug'))
})

test('only a writable volume is', () => {
  const volumes = [
    { source: '/data/in', uid: 1, gid: 1, at: '/source', writable: false },
    { source: '/data/out', uid: 1, gid: 1, at: '/build', writable: true },
  ]
  const { mounts } = ociConfig(dyno, { ...around, volumes })
  const access = mounts.slice(-2).map((it) => it.options?.[1])
  assert.deepEqual(access, ['ro', 'rw'])
})

test('a dyno knows itself by name', () => {
  assert.equal(hostsFile(dyno), `127.0.0.1 localhost\n::1 localhost\n172.16.64.9 ${id}\n`)
})
