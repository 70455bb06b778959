import { type AppFormation, describeScale } from '../model/app-formation.ts'
import type { App } from '../model/app.ts'
import { faultOfFormations, HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { describeScaler, scaled, type Scaler, type ScaleWish } from '../model/scaling.ts'
import { formationsOf, putFormation, wakeFormations } from '../store/app-formations.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import { heedManualScaling } from './heed-manual-scaling.ts'
import { lockPresentApp } from './lock-present-app.ts'
import { tellScaling } from './tell-scaling.ts'

/** All of the wishes or none. Returns the formations they speak of, as wanted now. */
export async function scaleFormations(
  tx: Queryable,
  {
    app,
    wishes,
    scaler,
  }: {
    readonly app: App
    readonly wishes: readonly ScaleWish[]
    readonly scaler: Scaler
  },
  limits: Limits = HEROKU_LIMITS,
): Promise<AppFormation[]> {
  await lockPresentApp(tx, app.id)
  const present = await formationsOf(tx, app.id)
  const wanted = new Map(present.map((it) => [it.id, it]))
  const asked = new Set<AppFormation['id']>()
  for (const wish of wishes) {
    const formation = [...wanted.values()].find(
      (it) => it.type === wish.type || it.id === wish.type,
    )
    if (!formation) {
      throw new Problem('not_found', `Couldn't find that process type (${wish.type}).`)
    }
    const result = scaled(formation, wish)
    if (typeof result === 'string') throw new Problem('invalid_params', result)
    wanted.set(result.id, result)
    asked.add(result.id)
  }
  const changed = present.flatMap((old) => {
    const it = wanted.get(old.id)
    return it && (it.quantity !== old.quantity || it.size !== old.size) ? [it] : []
  })
  // What was allowed when it was asked for may shrink, or be left alone.
  if (present.some((old) => asksForMore(old, wanted.get(old.id)))) {
    const fault = faultOfFormations([...wanted.values()], limits)
    if (fault) throw new Problem(fault.id, fault.message, fault.details)
  }
  for (const formation of changed) await putFormation(tx, formation)
  if (changed.length > 0) {
    const message = `Scaled to ${describeScale(changed)} by ${describeScaler(scaler)}`
    await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
    await tellScaling(tx, { app, scaler, before: present })
    if (scaler.cause === undefined) await heedManualScaling(tx, app, changed)
    await wakeFormations(
      tx,
      app,
      changed.map((it) => it.id),
    )
    // That an app wants no web dynos (H14) is not seen in any dyno's row.
    await wakeRouter(tx, app.region)
  }
  const now = await formationsOf(tx, app.id)
  return now.filter((it) => asked.has(it.id))
}

function asksForMore(old: AppFormation, it: AppFormation = old): boolean {
  return it.quantity > old.quantity || it.size !== old.size
}
