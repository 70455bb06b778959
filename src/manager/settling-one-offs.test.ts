/**
 * A one-off whose steps get lost, while its client, its owner and its machine do as they
 * like: it runs at most once, and in the end nothing of it is left and all has been told.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { bootedAt } from '../../test/a-dyno.ts'
import { aOneOff } from '../../test/a-one-off.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import type { ReleaseId } from '../model/ids.ts'
import type { OneOff } from '../model/one-off.ts'
import type { ReleaseStatus } from '../model/release.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { type OneOffStep, planOneOff } from './plan-one-off.ts'

const policy = dynoPolicy({}, enabledFeatures({}), HEROKU_TIMINGS)

const happenings = [
  'attach',
  'detach',
  'exit',
  'lose',
  'stop',
  'destroy',
  'supersede',
] as const
type Happening = (typeof happenings)[number] | 'nothing'

const ticks = fc.array(
  fc.record({
    happening: fc.constantFrom<Happening>('nothing', 'nothing', 'nothing', ...happenings),
    seconds: fc.integer({ min: 0, max: 40 }),
    lost: fc.boolean(),
  }),
  { maxLength: 40 },
)
const kinds = fc.record({
  attached: fc.boolean(),
  releasePhase: fc.boolean(),
  stubborn: fc.boolean(),
})

interface Kind {
  readonly attached: boolean
  readonly releasePhase: boolean
  /** Neither SIGHUP nor SIGTERM ends it. */
  readonly stubborn: boolean
}

class World {
  oneOff: OneOff
  status: DynoStatus | undefined
  appIsThere = true
  releaseStatus: ReleaseStatus
  now = bootedAt
  starts = 0
  readonly said: string[] = []
  readonly #stubborn: boolean

  constructor({ attached, releasePhase, stubborn }: Kind) {
    this.oneOff = aOneOff({
      state: 'starting',
      startedAt: null,
      attached: attached && !releasePhase,
      releasePhase: releasePhase ? ('v9' as ReleaseId) : null,
    })
    this.releaseStatus = releasePhase ? 'pending' : 'succeeded'
    this.#stubborn = stubborn
  }

  plan(): OneOffStep[] {
    const { oneOff, status, appIsThere, releaseStatus, now } = this
    const told = {
      policy,
      timings: HEROKU_TIMINGS,
      startLine: () => 'Starting process',
      otherCommands: { run: false, endedAt: null },
      since: bootedAt,
    }
    return planOneOff({ oneOff, status, appIsThere, releaseStatus, now, ...told })
  }

  take(step: OneOffStep): void {
    switch (step.do) {
      case 'move':
        this.said.push(...step.say)
        this.oneOff = { ...this.oneOff, ...step.note, state: step.to }
        return
      case 'note hang-up':
        this.said.push(step.say)
        this.oneOff = { ...this.oneOff, ...step.note }
        return
      case 'settle release':
        if (this.releaseStatus === 'pending')
          this.releaseStatus = step.failure === undefined ? 'succeeded' : 'failed'
        return
      case 'boot': {
        if (this.status) return
        this.starts += 1
        const [listening, terminated] = [false, false]
        this.status = { is: 'running', startedAt: this.now, listening, terminated }
        return
      }
      case 'hang up':
        if (!this.#stubborn) this.exit(129)
        return
      case 'terminate':
        if (this.status?.is === 'running')
          this.status = { ...this.status, terminated: true }
        if (!this.#stubborn) this.exit(143)
        return
      case 'kill':
        this.exit(137)
        return
      case 'remove':
        this.status = undefined
    }
  }

  happen(what: Happening): void {
    const { oneOff, now } = this
    if (what === 'attach' && oneOff.attached && oneOff.state === 'starting')
      this.oneOff = { ...oneOff, attachedAt: oneOff.attachedAt ?? now }
    if (what === 'detach' && oneOff.attachedAt)
      this.oneOff = { ...oneOff, detachedAt: oneOff.detachedAt ?? now }
    if (what === 'exit') this.exit(0)
    if (what === 'lose' && this.status) this.status = { is: 'lost' }
    if (what === 'stop') this.oneOff = { ...oneOff, restartRequestedAt: now }
    if (what === 'destroy') this.appIsThere = false
    if (what === 'supersede' && this.releaseStatus === 'pending')
      this.releaseStatus = 'expired'
  }

  exit(status: number): void {
    if (this.status?.is !== 'running') return
    const { startedAt } = this.status
    this.status = { is: 'exited', startedAt, at: this.now, status, outOfMemory: false }
  }

  wait(milliseconds: number): void {
    this.now = later(this.now, milliseconds)
  }
}

test('whatever befalls a one-off, it runs at most once and leaves nothing', () => {
  fc.assert(
    fc.property(kinds, ticks, (kind, befallen) => {
      const world = new World(kind)
      for (const { happening, seconds, lost } of befallen) {
        world.happen(happening)
        for (const step of world.plan()) if (!lost) world.take(step)
        world.wait(seconds * SECOND)
      }
      world.happen('stop')
      for (let looks = 0; world.oneOff.state !== 'down'; looks++) {
        assert.ok(looks < 100, 'it never ends')
        const steps = world.plan()
        for (const step of steps) world.take(step)
        if (steps.length === 0) world.wait(MINUTE)
      }
      assert.ok(world.starts <= 1, `it was started ${world.starts} times`)
      assert.equal(world.status, undefined)
      assert.notEqual(world.releaseStatus, 'pending')
      const times = (line: string) => world.said.filter((it) => it.endsWith(line)).length
      assert.equal(times('to complete'), 1)
      assert.ok(times('from starting to up') <= 1)
    }),
    fuzzRuns({ usual: 2000, soaked: 20_000 }),
  )
})
