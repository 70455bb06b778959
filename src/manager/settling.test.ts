/**
 * Whatever steps are lost on the way, as when the manager dies, and whatever befalls its
 * dynos, a formation gets where it was asked to be; and on the way no web place is ever
 * left unserved, no worker doubled, nobody stopped without a cause.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { aDyno, aFormation, aPolicy, bootedAt } from '../../test/a-dyno.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import type { Formation } from '../model/formation.ts'
import type { DynoId, ReleaseId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { Facts, Health } from './facts.ts'
import { planFormation } from './plan-formation.ts'
import type { Step } from './steps.ts'

interface World extends Omit<Facts, 'health'> {
  readonly dynos: readonly Dyno[]
  readonly statuses: ReadonlyMap<DynoId, DynoStatus>
  /** Milliseconds from one look to the next. */
  readonly pace: number
}

/**
 * Enough for every replacement of five dynos, one after the other, with SIGKILL or an
 * overlap at the end, and for the longest wait after a crash.
 */
const LOOKS = 400
const LEISURELY = 12 * SECOND

const change = fc.record({
  quantity: fc.integer({ min: 0, max: 5 }),
  release: fc.constantFrom('v1', 'v2', 'v3'),
  size: fc.constantFrom('Standard-1X', 'Standard-2X'),
  idle: fc.boolean(),
  checked: fc.boolean(),
})
const chances = fc.infiniteStream(fc.nat(99))

for (const type of ['web', 'worker']) {
  for (const preboot of [false, true]) {
    test(`every ${type} formation settles as asked${preboot ? ' with preboot' : ''}, and then rests`, () => {
      fc.assert(
        fc.property(
          fc.array(change, { minLength: 1, maxLength: 4 }),
          chances,
          (wishes, chance) => {
            let world = empty(type, preboot)
            for (const wish of wishes) {
              world = { ...world, formation: asked(type, wish, world.now) }
              for (let look = 0; look < 12; look++) {
                world = befall(carryOut(world, chance), chance)
              }
            }
            world = settle(world)

            assert.deepEqual(plan(world), [])
            const { formation, dynos, statuses } = world
            const settled = dynos.filter((it) => it.state === restOf(formation))
            // Who was added to an app asleep is started when it wakes.
            if (formation.idle) assert.ok(settled.length <= formation.quantity)
            else assert.equal(settled.length, formation.quantity)
            assert.equal(settled.length, dynos.length)
            if (formation.idle) return assert.equal(statuses.size, 0)
            assert.ok(dynos.every((dyno) => dyno.release === formation.release))
            assert.deepEqual(
              new Set(dynos.map((dyno) => dyno.id)),
              new Set(statuses.keys()),
            )
          },
        ),
        fuzzRuns({ usual: 100, soaked: 5000 }),
      )
    })
  }
}

for (const preboot of [false, true]) {
  test(`while all web dynos are replaced${preboot ? ' with preboot' : ''}, as many serve as were asked for`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        chances,
        (quantity, restart, chance) => {
          const wish = { quantity, checked: true }
          let world = settle({
            ...empty('web', preboot),
            formation: asked('web', wish, bootedAt),
          })
          const before = new Set(world.dynos.map((dyno) => dyno.id))
          const release = restart ? 'v1' : 'v2'
          world = {
            ...world,
            formation: asked('web', { ...wish, release }, world.now),
            dynos: restart ? world.dynos.map(restarted(world.now)) : world.dynos,
          }
          for (let look = 0; look < LOOKS && isBusy(world); look++) {
            world = carryOut(world, chance)
            const serving = world.dynos.filter(
              (dyno) => dyno.state === 'up' && dyno.routed,
            )
            assert.ok(
              serving.length >= quantity,
              `${serving.length} of ${quantity} serve`,
            )
          }
          assert.ok(world.dynos.every((dyno) => !before.has(dyno.id)))
        },
      ),
      fuzzRuns({ usual: 30, soaked: 5000 }),
    )
  })
}

function empty(type: string, preboot = false): World {
  const overlap = { switch: 3 * MINUTE, overlap: 2 * MINUTE }
  return {
    formation: asked(type, { quantity: 0 }, bootedAt),
    policy: aPolicy({ preboot: preboot ? overlap : undefined }),
    dynos: [],
    statuses: new Map(),
    since: bootedAt,
    now: bootedAt,
    pace: 2 * SECOND,
  }
}

interface Wish {
  readonly quantity: number
  readonly release?: string
  readonly size?: string
  readonly idle?: boolean
  readonly checked?: boolean
}

function asked(type: string, wish: Wish, now: Date): Formation {
  const { quantity, release = 'v1', size = 'Standard-1X', idle = false, checked } = wish
  const check = { path: '/', interval: 0, timeout: 0, grace: 0, failures: 3 }
  return aFormation({
    type,
    quantity,
    release: release as ReleaseId,
    releasedAt: now,
    size,
    idle,
    healthCheck: checked && type === 'web' ? check : null,
  })
}

function restarted(now: Date) {
  return (dyno: Dyno): Dyno => ({ ...dyno, restartRequestedAt: now })
}

function restOf({ idle }: Formation): Dyno['state'] {
  return idle ? 'idle' : 'up'
}

/** In the end everybody is well. */
const well: Health = { well: true, everWell: true, failures: 0, fault: '' }
const sick: Health = {
  well: false,
  everWell: true,
  failures: 3,
  fault: 'it answered 503',
}

function plan(world: World, isSick = () => false): Step[] {
  const health = new Map(world.dynos.map(({ id }) => [id, isSick() ? sick : well]))
  return planFormation({ ...world, health })
}

function isBusy(world: World): boolean {
  return (
    plan(world).length > 0 ||
    world.dynos.some((dyno) => dyno.state !== 'up' || dyno.leaving || !dyno.routed)
  )
}

/** Nobody waits for room any more, and time passes. */
function settle(world: World): World {
  let settled: World = {
    ...world,
    dynos: world.dynos.map((dyno) => ({
      ...dyno,
      waitingFor: null,
      updatedAt: world.now,
    })),
    pace: LEISURELY,
  }
  for (let look = 0; look < LOOKS; look++) settled = carryOut(settled)
  return { ...settled, pace: world.pace }
}

/** What dynos do, and what is done to them, without the manager. */
function befall(world: World, chance: Iterator<number>): World {
  const often = (percent: number) => Number(chance.next().value) < percent
  const statuses = new Map(world.statuses)
  const dynos = world.dynos.map((dyno) => {
    const status = statuses.get(dyno.id)
    if (status?.is === 'running' && often(5)) {
      statuses.set(dyno.id, exitOf(dyno, { status: 1, at: world.now }))
    }
    if (status?.is === 'running' && often(2)) statuses.set(dyno.id, { is: 'lost' })
    if (dyno.state === 'starting' && !status && often(20)) {
      return { ...dyno, waitingFor: 'capacity' }
    }
    if (dyno.state === 'up' && !dyno.leaving && often(5)) {
      return { ...restarted(world.now)(dyno), restartBecause: 'memory' as const }
    }
    return dyno
  })
  return { ...world, dynos, statuses }
}

function exitOf(
  { startedAt }: Dyno,
  { status, at }: { readonly status: number; readonly at: Date },
): DynoStatus {
  return { is: 'exited', startedAt: startedAt ?? at, at, status, outOfMemory: false }
}

/** One look, of which a third of the steps are lost; then the router looks, and time passes. */
function carryOut(world: World, chance?: Iterator<number>): World {
  const dynos = new Map(world.dynos.map((dyno) => [dyno.id, dyno]))
  const statuses = new Map(world.statuses)
  const often = (percent: number) =>
    chance !== undefined && Number(chance.next().value) < percent
  for (const step of plan(world, () => often(10))) {
    if (often(33)) continue
    if (step.do === 'add') add(step.ordinal)
    if (step.do === 'replace') {
      const { dyno, because } = step
      put({ ...dyno, leaving: true, stopReason: because }, dyno.ordinal)
    }
    if (step.do === 'revive') {
      const { dyno, crashes } = step
      put({ ...dyno, state: 'down' }, dyno.ordinal, crashes)
    }
    if (step.do === 'note start') put({ ...step.dyno, startedAt: step.at })
    if (step.do === 'give back address') put({ ...step.dyno, address: null })
    if (step.do === 'move') {
      const { dyno, note, to } = step
      const updatedAt = to === dyno.state ? dyno.updatedAt : world.now
      put({ ...dyno, ...note, updatedAt, state: to })
    }
    if (step.do === 'boot') boot(step.dyno)
    if (step.do === 'terminate') terminate(step.dyno)
    if (step.do === 'kill') end(step.dyno, 137)
    if (step.do === 'remove') statuses.delete(step.dyno.id)
  }
  for (const dyno of dynos.values()) {
    if (dyno.type === 'web') dynos.set(dyno.id, { ...dyno, routed: dyno.state === 'up' })
  }
  const places = [...dynos.values()].map((it) => `${it.ordinal} ${it.leaving}`)
  assert.equal(new Set(places).size, places.length, 'two of one place')
  return {
    ...world,
    dynos: [...dynos.values()],
    statuses,
    now: later(world.now, world.pace),
  }

  function add(ordinal: number, crashes = 0): void {
    const { type, release, size } = world.formation
    put(
      aDyno({
        type,
        release,
        size,
        ordinal,
        crashes,
        state: 'starting',
        startedAt: null,
        createdAt: world.now,
        updatedAt: world.now,
      }),
    )
  }

  function put(dyno: Dyno, refill?: number, crashes?: number): void {
    if (dyno.state === 'down') {
      assert.ok(dyno.stopReason, 'down without a cause')
      dynos.delete(dyno.id)
    } else dynos.set(dyno.id, dyno)
    if (refill) add(refill, crashes)
  }

  function boot(dyno: Dyno): void {
    const twin = world.dynos.find(
      (it) => it.ordinal === dyno.ordinal && it.id !== dyno.id,
    )
    const doubled = dyno.type !== 'web' && twin && statuses.get(twin.id)?.is === 'running'
    assert.ok(!doubled, `${dyno.type}.${dyno.ordinal} would be doubled`)
    assert.ok(!dyno.waitingFor, 'there is no room for it')
    assert.ok(!world.formation.idle, 'the app sleeps')
    statuses.set(dyno.id, {
      is: 'running',
      startedAt: world.now,
      listening: true,
      terminated: false,
    })
  }

  /** Every third dyno ignores SIGTERM. */
  function terminate(dyno: Dyno): void {
    assert.ok(!dyno.routed, 'SIGTERM while requests may come')
    const status = statuses.get(dyno.id)
    if (status?.is === 'running') statuses.set(dyno.id, { ...status, terminated: true })
    if (Number.parseInt(dyno.id.slice(0, 2), 16) % 3 > 0) end(dyno, 143)
  }

  function end(dyno: Dyno, status: number): void {
    statuses.set(dyno.id, exitOf(dyno, { status, at: world.now }))
  }
}
