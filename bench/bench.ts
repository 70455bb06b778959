/**
 * The performance specification as a program: `./mayfly bench [P4 …]` measures on an
 * installation of its own and prints each figure with its bar and verdict.
 */

import { type Figure, table } from './figure.ts'
import { type Bench, withBench } from './installation.ts'
import { p1Start } from './p1-start.ts'
import { p2ScaleUp } from './p2-scale-up.ts'
import { p3Restart } from './p3-restart.ts'
import { p4FirstRequest } from './p4-first-request.ts'
import { p5Router } from './p5-router.ts'
import { p6Caddy } from './p6-caddy.ts'
import { p7Replacements } from './p7-replacements.ts'
import { p9Adoption } from './p9-adoption.ts'
import { p12Neighbours } from './p12-neighbours.ts'
import { p10ManagerScale } from './p10-manager-scale.ts'

const programs: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  P1: p1Start,
  P2: p2ScaleUp,
  P3: p3Restart,
  P4: p4FirstRequest,
  P5: p5Router,
  P6: p6Caddy,
  P7: p7Replacements,
  P9: p9Adoption,
  P12: p12Neighbours,
}
/** Those that need no installation. */
const alone: Readonly<Record<string, () => Promise<Figure[]>>> = {
  P10: p10ManagerScale,
}

/** `asked`: which figures; none means all. */
export async function bench(asked: readonly string[]): Promise<number> {
  const known = Object.keys({ ...programs, ...alone })
  const unknown = asked.filter((id) => !known.includes(id))
  if (unknown.length > 0) {
    console.error(
      `mayfly: There is no figure ${unknown.join(', ')}; there are ${known.join(', ')}.`,
    )
    return 2
  }
  const isAsked = ([id]: readonly [string, unknown]) =>
    asked.length === 0 || asked.includes(id)
  const figures: Figure[] = []
  const installed = Object.entries(programs).filter(isAsked)
  if (installed.length > 0) {
    await withBench(async (it) => {
      await it.deploy('tiny')
      for (const [id, program] of installed) {
        console.error(`measuring ${id}`)
        figures.push(...(await program(it)))
      }
    })
  }
  for (const [id, program] of Object.entries(alone).filter(isAsked)) {
    console.error(`measuring ${id}`)
    figures.push(...(await program()))
  }
  console.log(table(figures))
  return figures.some((figure) => figure.met === false) ? 1 : 0
}
