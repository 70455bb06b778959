import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needed, wished } from '../../src/lib/finding.ts'
import { doctorLines } from './doctor.ts'

const NO_DISKS = 'What a dyno writes has no limit.'
const disks = (areThere: boolean) => wished('disks', areThere, NO_DISKS)
const crun = needed('crun', true, 'The program crun is missing.')

test('a machine that lacks nothing is told so, and which OCI runtimes and disks it has', () => {
  assert.deepEqual(doctorLines([crun, disks(true)], ['crun', 'runc'], undefined, false), [
    'OCI runtimes on this machine: crun, runc.',
    'Disks of dynos: sparse images with ext4, on loop devices.',
    'This machine has all that Mayfly needs.',
  ])
})

test('what is lacking comes first, and nothing is said of disks where there are none', () => {
  assert.deepEqual(doctorLines([crun, disks(false)], [], undefined, false), [
    NO_DISKS,
    'OCI runtimes on this machine: none.',
  ])
})

test('of krun it is said whether it starts anything, and what cannot be done with it', () => {
  for (const why of ['krun needs /dev/kvm, and there is none.', undefined]) {
    assert.deepEqual(doctorLines([crun], ['crun', 'krun'], why, false).slice(0, -1), [
      'OCI runtimes on this machine: crun, krun.',
      why ?? 'krun starts virtual machines here.',
      'Nothing is started inside its dynos: heroku ps:exec, run:inside.',
    ])
  }
})

test('who has Kata is told that it cannot be chosen', () => {
  const [, kata] = doctorLines([crun], ['crun'], undefined, true)
  assert.match(kata ?? '', /^Kata is on this machine and cannot be chosen/)
})
