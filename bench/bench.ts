/**
 * The performance specification as a program: `./mayfly bench [P4 …]` measures on an
 * installation of its own and prints each figure with its bar and verdict.
 */

import { type Figure, table } from './figure.ts'
import { type Bench, withBench } from './installation.ts'
import { p1Start } from './p1-start.ts'
import { p2ScaleUp } from './p2-scale-up.ts'
import { p4FirstRequest } from './p4-first-request.ts'
import { p5Router } from './p5-router.ts'
import { p7Replacements } from './p7-replacements.ts'

const programs: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  P1: p1Start,
  P2: p2ScaleUp,
  P4: p4FirstRequest,
  P5: p5Router,
  P7: p7Replacements,
}

/** `asked`: which figures; none means all. */
export async function bench(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter((id) => !(id in programs))
  if (unknown.length > 0) {
    console.error(
      `mayfly: There is no figure ${unknown.join(', ')}; there are ${Object.keys(programs).join(', ')}.`,
    )
    return 2
  }
  const figures: Figure[] = []
  await withBench(async (it) => {
    await it.deploy('tiny')
    for (const [id, program] of Object.entries(programs)) {
      if (asked.length > 0 && !asked.includes(id)) continue
      console.error(`measuring ${id}`)
      figures.push(...(await program(it)))
    }
  })
  console.log(table(figures))
  return figures.some((figure) => figure.met === false) ? 1 : 0
}
