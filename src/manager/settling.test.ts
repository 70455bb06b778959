/**
 * Whatever steps are lost on the way, as when the manager dies, a formation gets where it
 * was asked to be; and on the way no web place is ever left unserved, no worker doubled.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { aDyno, aFormation, aPolicy, bootedAt } from '../../test/a-dyno.ts'
import { later, SECOND } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import type { Formation } from '../model/formation.ts'
import type { DynoId, ReleaseId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { planFormation } from './plan-formation.ts'
import type { Step } from './steps.ts'

interface World {
  readonly formation: Formation
  readonly dynos: readonly Dyno[]
  readonly statuses: ReadonlyMap<DynoId, DynoStatus>
  readonly now: Date
}

/** Enough for every replacement of five dynos, one after the other, with SIGKILL at the end. */
const LOOKS = 400

const change = fc.record({
  quantity: fc.integer({ min: 0, max: 5 }),
  release: fc.constantFrom('v1', 'v2', 'v3'),
  size: fc.constantFrom('Standard-1X', 'Standard-2X'),
})

for (const type of ['web', 'worker']) {
  test(`every ${type} formation settles as asked, and then rests`, () => {
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(99)),
        (wishes, chance) => {
          let world = empty(type)
          for (const wish of wishes) {
            world = { ...world, formation: asked(type, wish) }
            for (let look = 0; look < 12; look++) world = carryOut(world, chance)
          }
          world = settle(world)

          assert.deepEqual(plan(world), [])
          const { formation, dynos, statuses } = world
          assert.equal(
            dynos.filter((dyno) => dyno.state === 'up').length,
            formation.quantity,
          )
          assert.ok(dynos.every((dyno) => dyno.release === formation.release))
          assert.deepEqual(
            new Set(dynos.map((dyno) => dyno.id)),
            new Set(statuses.keys()),
          )
        },
      ),
    )
  })
}

test('while all web dynos are replaced, as many serve as were asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat(99)),
      (quantity, chance) => {
        const before = { ...empty('web'), formation: asked('web', { quantity }) }
        let world = settle(before)
        world = { ...world, formation: asked('web', { quantity, release: 'v2' }) }
        for (
          let look = 0;
          look < LOOKS && plan(world).length + moving(world) > 0;
          look++
        ) {
          world = carryOut(world, chance)
          const serving = world.dynos.filter((dyno) => dyno.state === 'up' && dyno.routed)
          assert.ok(serving.length >= quantity, `${serving.length} of ${quantity} serve`)
        }
        assert.ok(world.dynos.every((dyno) => dyno.release === 'v2'))
      },
    ),
  )
})

function empty(type: string): World {
  return {
    formation: asked(type, { quantity: 0 }),
    dynos: [],
    statuses: new Map(),
    now: bootedAt,
  }
}

function asked(
  type: string,
  {
    quantity,
    release = 'v1',
    size = 'Standard-1X',
  }: { quantity: number; release?: string; size?: string },
): Formation {
  return aFormation({ type, quantity, release: release as ReleaseId, size })
}

function plan(world: World): Step[] {
  return planFormation({ ...world, policy: aPolicy(), health: new Map() })
}

function moving(world: World): number {
  return world.dynos.filter((dyno) => dyno.state !== 'up' || dyno.leaving || !dyno.routed)
    .length
}

function settle(world: World): World {
  let settled = world
  for (let look = 0; look < LOOKS; look++) settled = carryOut(settled)
  return settled
}

/** One look, of which a third of the steps are lost; then the router looks, and time passes. */
function carryOut(world: World, chance?: Iterator<number>): World {
  const dynos = new Map(world.dynos.map((dyno) => [dyno.id, dyno]))
  const statuses = new Map(world.statuses)
  for (const step of plan(world)) {
    if (chance && Number(chance.next().value) < 33) continue
    if (step.do === 'add') add(step.ordinal)
    if (step.do === 'replace') put({ ...step.dyno, leaving: true }, step.dyno.ordinal)
    if (step.do === 'revive') put({ ...step.dyno, state: 'down' }, step.dyno.ordinal)
    if (step.do === 'note start') put({ ...step.dyno, startedAt: step.at })
    if (step.do === 'move') put({ ...step.dyno, ...step.note, state: step.to })
    if (step.do === 'boot') boot(step.dyno)
    if (step.do === 'terminate') terminate(step.dyno)
    if (step.do === 'kill') end(step.dyno, 137)
    if (step.do === 'remove') statuses.delete(step.dyno.id)
  }
  for (const dyno of dynos.values()) {
    if (dyno.type === 'web') dynos.set(dyno.id, { ...dyno, routed: dyno.state === 'up' })
  }
  return {
    ...world,
    dynos: [...dynos.values()],
    statuses,
    now: later(world.now, 2 * SECOND),
  }

  function add(ordinal: number): void {
    const { type, release, size } = world.formation
    put(
      aDyno({
        type,
        release,
        size,
        ordinal,
        state: 'starting',
        startedAt: null,
        createdAt: world.now,
        updatedAt: world.now,
      }),
    )
  }

  function put(dyno: Dyno, refill?: number): void {
    if (dyno.state === 'down') dynos.delete(dyno.id)
    else dynos.set(dyno.id, dyno)
    if (refill) add(refill)
  }

  function boot(dyno: Dyno): void {
    const twin = world.dynos.find(
      (it) => it.ordinal === dyno.ordinal && it.id !== dyno.id,
    )
    const doubled = dyno.type !== 'web' && twin && statuses.get(twin.id)?.is === 'running'
    assert.ok(!doubled, `${dyno.type}.${dyno.ordinal} would be doubled`)
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
    const startedAt = dyno.startedAt ?? world.now
    statuses.set(dyno.id, {
      is: 'exited',
      startedAt,
      at: world.now,
      status,
      outOfMemory: false,
    })
  }
}
